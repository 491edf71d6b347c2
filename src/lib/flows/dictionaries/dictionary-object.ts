import type { R2Bucket } from "@cloudflare/workers-types";
import { err, ok, type Result } from "../../base/result.ts";
import { DICTIONARY_BYTES_MAX, zstdDictionary, type ZstdDictionary } from "../../zstd/zstd-dictionary.ts";

/** Why a dictionary that is registered cannot be used. `dictionary_damaged`: the bytes are not those that the id is made of. */
export interface DictionaryObjectError {
  readonly code: "dictionary_missing" | "dictionary_damaged" | "storage_unavailable";
}

/** Where a dictionary lies. A dictionary holds pieces of its tenant's texts: no tenant uses that of another. */
export function dictionaryKey(tenantId: string, dictionaryId: string): string {
  return `dictionaries/${tenantId}/${dictionaryId}.bin`;
}

/** A dictionary by its id, its bytes held against it. */
export async function readDictionary(
  bucket: Pick<R2Bucket, "get">,
  tenantId: string,
  dictionaryId: string,
): Promise<Result<ZstdDictionary, DictionaryObjectError>> {
  const bytes = await readBytes(bucket, dictionaryKey(tenantId, dictionaryId));
  if (!bytes.ok) return bytes;
  const dictionary = zstdDictionary(bytes.value);
  return dictionary.ok && dictionary.value.id === dictionaryId ? dictionary : err({ code: "dictionary_damaged" });
}

async function readBytes(
  bucket: Pick<R2Bucket, "get">,
  key: string,
): Promise<Result<Uint8Array, DictionaryObjectError>> {
  try {
    const object = await bucket.get(key);
    if (object === null) return err({ code: "dictionary_missing" });
    if (object.size > DICTIONARY_BYTES_MAX) return err({ code: "dictionary_damaged" });
    return ok(new Uint8Array(await object.arrayBuffer()));
  } catch {
    return err({ code: "storage_unavailable" });
  }
}
