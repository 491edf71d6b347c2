import type { Problem } from "../contract/problem.ts";
import type { Reason } from "../contract/verdict.ts";

/** One input of a body before it is known to be a document: a decoded value, or why it could not be decoded. */
export type Candidate = { readonly value: unknown } | { readonly reason: Reason };

/** What a body decoder found. `batchTag` is still unchecked. */
export interface DecodedBody {
  readonly candidates: readonly Candidate[];
  readonly batchTag?: unknown;
}

/** A refusal of the whole body. */
export function refusal(code: Problem["code"], detail: string): Problem {
  return { code, detail };
}
