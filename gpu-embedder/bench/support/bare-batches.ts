import { bareBatch } from "../../src/engine/bare-session.ts";
import type { InferenceSession } from "../../src/engine/inference-session.ts";
import type { ProviderTuning } from "../../src/engine/provider.ts";
import type { TextTokenizer } from "../../src/engine/tokenizer.ts";

type TokenList = Int32Array<ArrayBuffer>;

/** Texts as token lists, sorted by length. */
export async function tokenLists(texts: readonly string[], tokenizer: TextTokenizer): Promise<readonly TokenList[]> {
  const lists: TokenList[] = [];
  for (const text of texts) lists.push(await tokenizer.encode(text));
  return lists.sort((a, b) => b.length - a.length);
}

export type BatchLimits = Pick<ProviderTuning, "batchTokensMax" | "batchTextsMax" | "sequenceMultiple">;

/** Sorted token lists in batches of a padded budget, such as the server's own. */
export function batchesOf(
  lists: readonly TokenList[],
  { batchTokensMax, batchTextsMax, sequenceMultiple }: BatchLimits,
): readonly (readonly TokenList[])[] {
  const batches: TokenList[][] = [];
  for (const list of lists) {
    const batch = batches.at(-1);
    const longest = Math.ceil((batch?.[0]?.length ?? 0) / sequenceMultiple) * sequenceMultiple;
    const isFull = batch === undefined || batch.length >= batchTextsMax;
    if (isFull || longest * (batch.length + 1) > batchTokensMax) batches.push([list]);
    else batch.push(list);
  }
  return batches;
}

/** Runs every batch once. Each session takes the next one when its last one ended; one is handed over ahead, as in the server. */
export async function bareSeconds(
  sessions: readonly InferenceSession[],
  batches: readonly (readonly TokenList[])[],
  sequenceMultiple: number,
): Promise<number> {
  let next = 0;
  const startedMs = performance.now();
  await Promise.all(
    [...sessions, ...sessions].map(async (session) => {
      for (let batch = batches[next++]; batch !== undefined; batch = batches[next++]) {
        await session.run(bareBatch(batch, sequenceMultiple));
      }
    }),
  );
  return (performance.now() - startedMs) / 1000;
}
