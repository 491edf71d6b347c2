import { type DuplicateContext, duplicateScopeKey, mayBeDuplicates } from "./duplicate-scope.ts";
import { judgePair } from "./judge-pair.ts";
import { estimatedJaccard } from "./min-hash.ts";
import { sketchOf, type TextSketch } from "./sketch.ts";

/** One input of a batch. */
export interface DuplicateInput extends DuplicateContext {
  readonly text: string;
}

/** `index` and `originalIndex` are positions in the batch, the original's the smaller one. */
export interface DuplicateMatch {
  readonly index: number;
  readonly originalIndex: number;
  /** `exact`: equal after normalisation. `near`: adds nothing to the original. */
  readonly kind: "exact" | "near";
  /** Share of the input, boilerplate aside, that the original holds; 1 for exact. */
  readonly similarity: number;
}

/** Estimated Jaccard similarity below which a candidate is not compared: two standard errors under the least similar pair that can pass. */
export const CANDIDATE_JACCARD_MIN = 0.18;
/** Candidates compared for one input, the most similar first: each costs a pass over both texts. */
export const CANDIDATES_MAX = 8;
/** Members of one bucket that are looked at, the latest ones: a refrain of ten thousand messages must not cost its square. */
const BUCKET_MEMBERS_MAX = 64;
const NO_SIGNATURE = new Uint32Array(0);

/**
 * Duplicates within a batch, in order. Inputs are taken in the given order, which is that of their arrival: the earliest of a group is the
 * original and all others name it; a duplicate is never an original, so there are no chains. Scope and time are `mayBeDuplicates`.
 * Deterministic; an input's match depends only on inputs before it. `sketches`, if given, are those of the inputs in order.
 */
export function findDuplicatesInBatch(
  inputs: readonly DuplicateInput[],
  sketches: readonly TextSketch[] = inputs.map((input) => sketchOf(input.text)),
): DuplicateMatch[] {
  const buckets = new Buckets();
  const matches: DuplicateMatch[] = [];
  for (const [index, input] of inputs.entries()) {
    const sketch = sketches[index];
    if (sketch === undefined) break;
    const scope = duplicateScopeKey(input);
    const isPossible = (other: number): boolean => {
      const original = inputs[other];
      return original !== undefined && mayBeDuplicates(input, original);
    };
    const exact = buckets.members(`${scope}${sketch.normalisedHash}`).find(isPossible);
    const match =
      exact === undefined
        ? nearMatch(inputs, sketches, index, candidatesOf(buckets, scope, sketch).filter(isPossible))
        : { index, originalIndex: exact, kind: "exact" as const, similarity: 1 };
    if (match !== undefined) {
      matches.push(match);
      continue;
    }
    buckets.add(`${scope}${sketch.normalisedHash}`, index);
    for (const band of sketch.bands) buckets.add(`${scope}${band}`, index);
  }
  return matches;
}

class Buckets {
  readonly #members = new Map<string, number[]>();

  members(key: string): readonly number[] {
    return this.#members.get(key) ?? [];
  }

  add(key: string, index: number): void {
    const members = this.#members.get(key);
    if (members === undefined) this.#members.set(key, [index]);
    else if (members.push(index) > BUCKET_MEMBERS_MAX) members.shift();
  }
}

function candidatesOf(buckets: Buckets, scope: string, sketch: TextSketch): number[] {
  return [...new Set(sketch.bands.flatMap((band) => buckets.members(`${scope}${band}`)))];
}

function nearMatch(
  inputs: readonly DuplicateInput[],
  sketches: readonly TextSketch[],
  index: number,
  candidates: readonly number[],
): DuplicateMatch | undefined {
  const own = sketches[index];
  const text = inputs[index]?.text;
  if (own === undefined || text === undefined) return undefined;
  const likely = candidates
    .map((other) => ({ other, estimate: estimatedJaccard(own.signature, sketches[other]?.signature ?? NO_SIGNATURE) }))
    .filter((candidate) => candidate.estimate >= CANDIDATE_JACCARD_MIN)
    .sort((a, b) => b.estimate - a.estimate || a.other - b.other)
    .slice(0, CANDIDATES_MAX)
    .sort((a, b) => a.other - b.other);
  for (const { other } of likely) {
    const verdict = judgePair(text, inputs[other]?.text ?? "");
    if (verdict.isDuplicate) return { index, originalIndex: other, kind: "near", similarity: verdict.similarity };
  }
  return undefined;
}
