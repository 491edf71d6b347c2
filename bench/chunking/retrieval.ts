import { createHttpEmbedder } from "../../src/lib/embed/http-embedder.ts";
import type { EmbedderInfo } from "../../src/lib/embed/embedder.ts";
import { readTokenizer } from "../../src/lib/model/library-token-counter.ts";
import type { TokenCounter } from "../../src/lib/model/token-counter.ts";
import { z } from "zod";
import type { Piece } from "./score.ts";

/** Texts of one embedding request. */
const REQUEST_TEXTS_MAX = 32;
const TIMEOUT_MS = 120_000;

const replySchema = z.object({ data: z.array(z.object({ index: z.int(), embedding: z.array(z.number()) })) });

/** A piece with the text that stands for it in the vector space. */
export interface IndexedPiece extends Piece {
  readonly indexedText: string;
}

/** The embedding server's model: what it takes, and its tokens. */
export async function modelOf(
  endpoint: string,
): Promise<{ readonly info: EmbedderInfo; readonly counter: TokenCounter }> {
  const embedder = createHttpEmbedder({ endpoint, token: undefined, timeoutMs: TIMEOUT_MS, fetch });
  const [info, file] = await Promise.all([embedder.info(), embedder.tokenizer()]);
  if (!info.ok || !file.ok) throw new Error("the embedding server does not answer");
  const tokenizer = readTokenizer(file.value);
  if (!tokenizer.ok) throw new Error("the embedding server's tokenizer cannot be read");
  return { info: info.value, counter: tokenizer.value.counter };
}

/** Vectors of texts, in order. Texts too long for the model lose their end, as with sentence-transformers. */
export async function embedTexts(endpoint: string, texts: readonly string[]): Promise<number[][]> {
  const vectors: number[][] = [];
  for (let start = 0; start < texts.length; start += REQUEST_TEXTS_MAX) {
    const input = texts.slice(start, start + REQUEST_TEXTS_MAX);
    const response = await fetch(`${endpoint}/v1/embeddings`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ input, truncate: true }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!response.ok) throw new Error(`the embedding server answers ${response.status}`);
    for (const { index, embedding } of replySchema.parse(await response.json()).data)
      vectors[start + index] = embedding;
  }
  return vectors;
}

/** The `count` pieces nearest to the question by cosine; vectors have unit length. */
export function nearest(
  question: readonly number[],
  pieces: readonly IndexedPiece[],
  vectors: readonly (readonly number[])[],
  count: number,
): IndexedPiece[] {
  return pieces
    .map((piece, index) => ({ piece, index, cosine: dot(question, vectors[index] ?? []) }))
    .sort((a, b) => b.cosine - a.cosine || a.index - b.index)
    .slice(0, count)
    .map(({ piece }) => piece);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}
