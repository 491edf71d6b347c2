import { bareBatch } from "../../src/engine/bare-session.ts";
import type { InferenceSession } from "../../src/engine/inference-session.ts";
import { PROVIDER_TUNING } from "../../src/engine/provider.ts";
import type { TextTokenizer } from "../../src/engine/tokenizer.ts";

type TokenList = Int32Array<ArrayBuffer>;

/** The server's own limits of a batch. */
const { batchTokensMax, batchTextsMax } = PROVIDER_TUNING.cpu;

/** Texts as token lists, sorted by length, in batches of the server's padded budget. */
export async function tokenizedBatches(
  texts: readonly string[],
  tokenizer: TextTokenizer,
): Promise<readonly (readonly TokenList[])[]> {
  const lists: TokenList[] = [];
  for (const text of texts) lists.push(await tokenizer.encode(text));
  lists.sort((a, b) => b.length - a.length);
  const batches: TokenList[][] = [];
  for (const list of lists) {
    const batch = batches.at(-1);
    const longest = batch?.[0]?.length ?? 0;
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
): Promise<number> {
  let next = 0;
  const startedMs = performance.now();
  await Promise.all(
    [...sessions, ...sessions].map(async (session) => {
      for (let batch = batches[next++]; batch !== undefined; batch = batches[next++]) {
        await session.run(bareBatch(batch));
      }
    }),
  );
  return (performance.now() - startedMs) / 1000;
}
