import { createReadStream } from "node:fs";
import { open, readFile, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { openPack, type PackReader, type PackSource } from "../../lib/artifact/pack-reader.ts";
import { PACK_LIMITS } from "../../lib/artifact/pack-limits.ts";
import type { PackError } from "../../lib/artifact/pack-error.ts";
import { PACK_DERIVATIONS } from "../../lib/flows/packs/derivations.ts";
import { provedZstd } from "../../lib/zstd/proved-zstd.ts";
import { DICTIONARY_BYTES_MAX, zstdDictionary, type ZstdDictionary } from "../../lib/zstd/zstd-dictionary.ts";
import { CommandError } from "../command-error.ts";

/** A pack that was opened, with what has to be closed after. */
export interface OpenedFile {
  readonly reader: PackReader;
  readonly source: PackSource;
  readonly close: () => Promise<void>;
}

/** The module lies beside its room; Workers import it, Node reads it. */
const ZSTD_MODULE = new URL("../../lib/zstd/zstd.wasm", import.meta.url);

/** Opens a pack at a path, or "-" for standard input. Its dictionary is one of `dictionaryPaths`, or `<id>.bin` beside the file. */
export async function openPackFile(path: string, dictionaryPaths: readonly string[]): Promise<OpenedFile> {
  const { source, close } = path === "-" ? await inputSource() : await fileSource(path);
  const opened = await openPack(source, {
    zstd: provedZstd(new WebAssembly.Module(await readFile(ZSTD_MODULE))),
    dictionaryOf: (id) => findDictionary(id, path, dictionaryPaths),
    derivations: PACK_DERIVATIONS,
    limits: PACK_LIMITS,
  });
  if (opened.ok) return { reader: opened.value, source, close };
  await close();
  throw new CommandError(`${path}: ${packErrorText(opened.error)}`);
}

async function fileSource(path: string): Promise<Pick<OpenedFile, "source" | "close">> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) throw new CommandError(`${path} cannot be opened`);
  const { size } = await file.stat();
  return {
    close: () => file.close(),
    source: {
      sizeBytes: size,
      async read({ offset, length }) {
        const { bytesRead, buffer: bytes } = await file.read(new Uint8Array(length), 0, length, offset);
        return bytes.subarray(0, bytesRead);
      },
    },
  };
}

async function inputSource(): Promise<Pick<OpenedFile, "source" | "close">> {
  const bytes = new Uint8Array(await buffer(createReadStream("", { fd: 0, autoClose: false })));
  return {
    close: () => Promise.resolve(),
    source: {
      sizeBytes: bytes.length,
      read: ({ offset, length }) => Promise.resolve(bytes.subarray(offset, offset + length)),
    },
  };
}

async function findDictionary(
  id: string,
  packPath: string,
  dictionaryPaths: readonly string[],
): Promise<ZstdDictionary | undefined> {
  const folder = packPath === "-" ? "." : dirname(packPath);
  const beside = (await readdir(folder)).includes(`${id}.bin`) ? [join(folder, `${id}.bin`)] : [];
  for (const path of [...dictionaryPaths, ...beside]) {
    const bytes = await readFile(path).catch(() => undefined);
    if (bytes === undefined) throw new CommandError(`${path} cannot be read`);
    const dictionary = bytes.length > DICTIONARY_BYTES_MAX ? undefined : zstdDictionary(new Uint8Array(bytes));
    if (dictionary?.ok !== true) throw new CommandError(`${path} is no zstd dictionary`);
    if (dictionary.value.id === id) return dictionary.value;
  }
  return undefined;
}

/** One sentence about what is wrong with a pack. */
export function packErrorText(error: PackError): string {
  switch (error.code) {
    case "pack_not_recognized":
      return "not a pack";
    case "pack_version_unsupported":
      return `a pack of version ${error.version}, which this program does not know`;
    case "pack_truncated":
      return "cut off, or not a pack";
    case "pack_damaged":
      return error.block === undefined ? "its index is damaged" : `block ${error.block} is damaged`;
    case "pack_too_large":
      return `${error.what}: ${error.value}, at most ${error.max} are taken`;
    case "dictionary_missing":
      return `needs the dictionary ${error.dictionaryId}: give it with --dictionary`;
    case "storage_unavailable":
      return "cannot be read";
  }
}
