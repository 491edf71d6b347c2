import { z } from "zod";
import type { Statement } from "../sql.ts";

/** The dictionary that a tenant's next packs are made with; no row where there is none. */
export function selectCurrentDictionary(tenantId: string): Statement {
  return { text: "select dictionary_id from dictionaries where tenant_id = $1 and is_current", params: [tenantId] };
}

export const dictionaryIdRowSchema = z.object({ dictionary_id: z.string() });
