import { z } from "zod";

/** Why an input ended as it did: a stable code, and the measure with its threshold where a rule measured something. Never text of the input. */
export const reasonSchema = z.strictObject({
  code: z.string().regex(/^[a-z0-9_]+$/),
  measure: z.number().optional(),
  threshold: z.number().optional(),
  detail: z.string().max(200).optional(),
});
export type Reason = z.infer<typeof reasonSchema>;

/** The gate's judgement of a text by itself. */
export const VERDICTS = ["accepted", "quarantined", "rejected"] as const;
export type Verdict = (typeof VERDICTS)[number];

/** The judgement of an input at the edge, before anything is stored: the gate's, or `duplicate` of an earlier input of the same request. */
export const inputVerdictSchema = z.enum([...VERDICTS, "duplicate"]);

/** How an input ended. `failed` is the one that can be replayed. */
export const OUTCOMES = ["indexed", "unchanged", "duplicate", "quarantined", "rejected", "failed"] as const;
export const outcomeSchema = z.enum(OUTCOMES);
