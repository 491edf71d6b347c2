import { err, ok, type Result } from "../base/result.ts";
import type { Semaphore } from "../base/semaphore.ts";
import type { EmbedError, Embedder } from "./embedder.ts";
import { requestBatches, type RequestBudget } from "./request-batches.ts";

/** A text with its token count: the count decides how texts share requests. */
export interface TextToEmbed {
  readonly text: string;
  readonly tokenCount: number;
}

export interface EmbedTextsContext {
  readonly embedder: Embedder;
  readonly fingerprint: string;
  /** Of the model's vectors: one of another length must never be stored. */
  readonly dimensions: number;
  readonly budget: RequestBudget;
  /** Bounds the requests in flight of all callers together (an invocation has six connections). */
  readonly requests: Semaphore;
}

/** A failure of the server. A text's own fault is not one: it ends as `null` in its place. */
export type EmbedTextsError = Exclude<EmbedError, { readonly code: "text_refused" }>;

/**
 * Vectors of many texts, in order, through token-budgeted concurrent requests; `null` where the server refuses this very
 * text. A refused request is halved until the refused texts stand alone, so that a poison text costs its neighbours
 * nothing. Errors: whatever made a request fail that is not a text's fault; then no vector is returned.
 */
export async function embedTexts(
  context: EmbedTextsContext,
  texts: readonly TextToEmbed[],
): Promise<Result<readonly (Float32Array | null)[], EmbedTextsError>> {
  const vectors: (Float32Array | null)[] = texts.map(() => null);
  const groups = requestBatches(
    texts.map((text) => text.tokenCount),
    context.budget,
  );
  const outcomes = await Promise.all(groups.map((group) => embedGroup(context, { texts, group, vectors })));
  const failure = outcomes.find((outcome) => !outcome.ok);
  return failure !== undefined && !failure.ok ? failure : ok(vectors);
}

interface GroupWork {
  readonly texts: readonly TextToEmbed[];
  readonly group: readonly number[];
  readonly vectors: (Float32Array | null)[];
}

async function embedGroup(context: EmbedTextsContext, work: GroupWork): Promise<Result<null, EmbedTextsError>> {
  const inputs = work.group.map((position) => work.texts[position]?.text ?? "");
  const reply = await context.requests.run(() =>
    context.embedder.embed(inputs, { lane: "bulk", fingerprint: context.fingerprint }),
  );
  if (reply.ok) {
    if (reply.value.some(({ length }) => length !== context.dimensions))
      return err({ code: "embedder_unavailable", cause: "vectors of another length than the model's" });
    work.group.forEach((position, index) => {
      work.vectors[position] = reply.value[index] ?? null;
    });
    return ok(null);
  }
  if (reply.error.code !== "text_refused") return err(reply.error);
  if (work.group.length === 1) return ok(null);
  const middle = work.group.length >> 1;
  const left = await embedGroup(context, { ...work, group: work.group.slice(0, middle) });
  return left.ok ? embedGroup(context, { ...work, group: work.group.slice(middle) }) : left;
}
