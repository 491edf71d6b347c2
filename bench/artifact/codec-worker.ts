/**
 * Packs and JSON lines of the same records inside workerd. Its clock stands still while it computes, so the caller takes the time:
 * `POST /load` (`{records, dictionary}`), then `GET /<encode|decode>-<pack|json>?times=N`.
 */
import { openPack } from "../../src/lib/artifact/pack-reader.ts";
import { PACK_LIMITS } from "../../src/lib/artifact/pack-limits.ts";
import { PackWriter } from "../../src/lib/artifact/pack-writer.ts";
import type { PackRecord } from "../../src/lib/contract/pack-record.ts";
import { provedZstd } from "../../src/lib/zstd/proved-zstd.ts";
import { zstdDictionary, type ZstdDictionary } from "../../src/lib/zstd/zstd-dictionary.ts";
import zstdModule from "../../src/lib/zstd/zstd.wasm";

const zstd = provedZstd(zstdModule);
const HEAD = { tenant_id: "bench", created_at_ms: 0, models: [], versions: {} };
let records: readonly PackRecord[] = [];
let dictionary: ZstdDictionary | null = null;
let pack = new Uint8Array(0);
let json = "";

async function encodePack(): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const sink = { write: (bytes: Uint8Array) => Promise.resolve(void parts.push(Uint8Array.from(bytes))) };
  const options = { zstd, dictionary, head: HEAD, vectors: null, derivations: {}, limits: PACK_LIMITS, sink };
  const writer = new PackWriter(options);
  for (const record of records) await writer.add(record);
  await writer.finish();
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

function encodeJson(): string {
  return records.map((record) => JSON.stringify(record)).join("\n");
}

async function decodePack(): Promise<number> {
  const source = {
    sizeBytes: pack.length,
    read: ({ offset, length }: { offset: number; length: number }) =>
      Promise.resolve(pack.subarray(offset, offset + length)),
  };
  const dictionaryOf = () => Promise.resolve(dictionary ?? undefined);
  const reader = await openPack(source, { zstd, dictionaryOf, derivations: {}, limits: PACK_LIMITS });
  if (!reader.ok) throw new Error(reader.error.code);
  let count = 0;
  for (const block of reader.value.footer.blocks.keys()) {
    const read = await reader.value.readBlock(block);
    if (read.ok) count += read.value.length;
  }
  return count;
}

async function run(path: string): Promise<number> {
  if (path === "/encode-pack") return (await encodePack()).length === pack.length ? records.length : 0;
  if (path === "/encode-json") return encodeJson().length === json.length ? records.length : 0;
  if (path === "/decode-pack") return decodePack();
  return json.split("\n").map((line): unknown => JSON.parse(line)).length;
}

interface Load {
  readonly records: readonly PackRecord[];
  readonly dictionary: string | null;
}

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/load") {
      const loaded: Load = await request.json();
      const bytes = Uint8Array.from(atob(loaded.dictionary ?? ""), (character) => character.charCodeAt(0));
      const made = zstdDictionary(bytes);
      records = loaded.records;
      dictionary = made.ok ? made.value : null;
      pack = await encodePack();
      json = encodeJson();
      return Response.json({ memoryBytes: zstd.memoryBytes });
    }
    let count = 0;
    for (let time = 0; time < Number(searchParams.get("times")); time++) count += await run(pathname);
    return Response.json({ count });
  },
};
