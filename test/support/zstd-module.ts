import { readFileSync } from "node:fs";

/** The module that Workers import, read from its file. */
export function zstdModule(): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(new URL("../../src/lib/zstd/zstd.wasm", import.meta.url)));
}
