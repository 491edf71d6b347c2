import { z } from "zod";
import { originSchema } from "./scope.ts";
import { reasonSchema } from "./verdict.ts";
import { curationSchema } from "./wal-record.ts";

/**
 * How an input was admitted, as far as its WAL object alone says it: what its request was judged by, and what was found of it. Kept in a pack, because a
 * document that comes again by a decision of ours comes with it. Absent members have the value that a WAL object's absent ones have.
 */
export const packedAdmissionSchema = z.strictObject({
  gate_version: z.string(),
  policy_version: z.int().min(0).optional(),
  duplicates: z.enum(["exact", "near"]).optional(),
  origin: originSchema.optional(),
  reasons: z.array(reasonSchema).optional(),
  curation: curationSchema.optional(),
});
export type PackedAdmission = z.infer<typeof packedAdmissionSchema>;
