import { z } from "zod";

/** How texts reach a server: `connections` clients at once, each sending the next `requestTexts` texts as soon as it has its reply. */
export interface ClientPlan {
  readonly connections: number;
  readonly requestTexts: number;
}

export interface EmbedTarget {
  /** Full address of an OpenAI-compatible embeddings route. */
  readonly url: string;
  readonly modelName: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A request that takes longer than this has hung. */
const REQUEST_TIMEOUT_MS = 180_000;

const replySchema = z.object({ data: z.array(z.object({ embedding: z.string() })).min(1) });

/** One request in the form that OpenAI's clients send. The first vector of the reply; throws unless the status is 200. */
export async function embedOnce(target: EmbedTarget, input: string | readonly string[]): Promise<Float32Array> {
  const response = await fetch(target.url, {
    method: "POST",
    headers: { "content-type": "application/json", ...target.headers },
    body: JSON.stringify({ model: target.modelName, input, encoding_format: "base64" }),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`HTTP ${response.status}: ${text.slice(0, 300)}`);
  const bytes = Uint8Array.from(Buffer.from(replySchema.parse(JSON.parse(text)).data[0]?.embedding ?? "", "base64"));
  return new Float32Array(bytes.buffer);
}

export interface BulkRun {
  readonly seconds: number;
  /** Vector of the first text. */
  readonly firstVector: Float32Array;
}

/** Hands out the texts of a set: the first index of the next `count` ones. */
export type TakeTexts = (count: number) => number;

export function takeInOrder(): TakeTexts {
  let next = 0;
  return (count) => {
    next += count;
    return next - count;
  };
}

/** Sends texts until none is left to take. `signal` ends it after the requests under way. */
export async function embedAll(
  target: EmbedTarget,
  texts: readonly string[],
  plan: ClientPlan,
  { signal, take = takeInOrder() }: { readonly signal?: AbortSignal; readonly take?: TakeTexts } = {},
): Promise<BulkRun> {
  let firstVector = new Float32Array(0);
  const isLeft = (start: number): boolean => start < texts.length && signal?.aborted !== true;
  const client = async (): Promise<void> => {
    const { requestTexts } = plan;
    for (let start = take(requestTexts); isLeft(start); start = take(requestTexts)) {
      const vector = await embedOnce(target, texts.slice(start, start + requestTexts));
      if (start === 0) firstVector = new Float32Array(vector);
    }
  };
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: plan.connections }, client));
  return { seconds: (performance.now() - startedMs) / 1000, firstVector };
}
