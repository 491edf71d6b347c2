import type { PackError } from "../../artifact/pack-error.ts";
import { PACK_LIMITS } from "../../artifact/pack-limits.ts";
import { openPack, type PackReader } from "../../artifact/pack-reader.ts";
import { r2Source } from "../../artifact/r2-source.ts";
import type { Result } from "../../base/result.ts";
import { readDictionary } from "../dictionaries/dictionary-object.ts";
import type { PackReadContext } from "./context.ts";
import { PACK_DERIVATIONS } from "./derivations.ts";

/** Opens a pack of a tenant in R2, with its dictionary if it has one: one or two reads, and one for the dictionary. */
export async function openTenantPack(
  context: Pick<PackReadContext, "bucket" | "loadZstd">,
  pack: { readonly tenantId: string; readonly key: string; readonly sizeBytes: number },
): Promise<Result<PackReader, PackError>> {
  return openPack(r2Source(context.bucket, pack), {
    zstd: await context.loadZstd(),
    dictionaryOf: async (id) => {
      const dictionary = await readDictionary(context.bucket, pack.tenantId, id);
      return dictionary.ok ? dictionary.value : undefined;
    },
    derivations: PACK_DERIVATIONS,
    limits: PACK_LIMITS,
  });
}
