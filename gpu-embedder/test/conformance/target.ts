import assert from "node:assert/strict";
import { z } from "zod";

/** A reply with its body as text and, where it is JSON, as a value. */
export type Reply = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: unknown;
};

/** The server that is held to the contracts, and what the cases need to know of it. */
export type Target = {
  get(path: string): Promise<Reply>;
  /** Posts JSON; a string goes as it is. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Reply>;
  readonly inputTokensMax: number;
  readonly clientTextsMax: number;
  readonly dimensions: number;
};

/** Milliseconds for one reply; a server that is slower fails the case. */
const REPLY_TIMEOUT_MS = 60_000;

const infoSchema = z.object({ max_input_length: z.int().positive(), max_client_batch_size: z.int().positive() });
export const vectorsSchema = z.array(z.array(z.number()).min(1));

async function replyOf(response: Response): Promise<Reply> {
  const text = await response.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: response.status, headers: response.headers, text, json };
}

/** Asks a server about itself. Rejects where `/info` or `/embed` do not answer as text-embeddings-inference does. */
export async function targetAt(url: string, token: string | undefined): Promise<Target> {
  const base = url.replace(/\/$/u, "");
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const send = async (path: string, init: RequestInit): Promise<Reply> =>
    replyOf(await fetch(base + path, { ...init, signal: AbortSignal.timeout(REPLY_TIMEOUT_MS) }));
  const get = (path: string): Promise<Reply> => send(path, { headers: authorization });
  const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> =>
    send(path, {
      method: "POST",
      headers: { "content-type": "application/json", ...authorization, ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  const info = infoSchema.parse((await get("/info")).json);
  const dimensions = vectorsSchema.parse((await post("/embed", { inputs: "a" })).json)[0]?.length ?? 0;
  return {
    get,
    post,
    inputTokensMax: info.max_input_length,
    clientTextsMax: info.max_client_batch_size,
    dimensions,
  };
}

/** A text that has more tokens than the model takes. */
export function tooLongText(target: Target): string {
  return "word ".repeat(target.inputTokensMax + 50);
}

export function cosine(a: readonly number[], b: readonly number[]): number {
  assert.equal(a.length, b.length, "vectors have one length");
  const product = a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
  return product / (Math.hypot(...a) * Math.hypot(...b));
}

/** Vectors of one text alone and among others may differ a little in int8. */
export const SAME_TEXT_COSINE_MIN = 0.98;
