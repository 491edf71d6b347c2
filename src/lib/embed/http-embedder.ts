import { err, ok, type Result } from "../base/result.ts";
import { decodeVector, embeddingsReplySchema, infoReplySchema } from "./embed-wire.ts";
import type { EmbedError, Embedder, EmbedderInfo } from "./embedder.ts";

export interface HttpEmbedderOptions {
  /** Base URL of the embedding server: ours, or text-embeddings-inference. */
  readonly endpoint: string;
  /** Bearer token, or undefined where the server asks for none. */
  readonly token: string | undefined;
  /** Milliseconds until a call is given up. */
  readonly timeoutMs: number;
  /** Headers of each call beside its own: the trace that it belongs to. */
  readonly extraHeaders?: () => Readonly<Record<string, string>>;
  readonly fetch: typeof fetch;
}

/** What to wait after a 429 that names no time, seconds. */
const RETRY_AFTER_SECONDS_DEFAULT = 2;
/** Longest wait taken from a Retry-After header, seconds. */
const RETRY_AFTER_SECONDS_MAX = 300;
/** Bytes of a tokenizer.json we are ready to hold: the largest multilingual ones have 17 MB. */
const TOKENIZER_BYTES_MAX = 32 * 1024 * 1024;

/** A 4xx status that a smaller or other request may not meet: the texts are at fault, not the server. */
const TEXT_FAULT_STATUSES = new Set([400, 413, 422]);

type Call = { readonly path: string; readonly body?: string; readonly lane?: "interactive" | "bulk" };

async function errorOf(response: Response): Promise<EmbedError> {
  await response.body?.cancel();
  if (TEXT_FAULT_STATUSES.has(response.status)) {
    return { code: "text_refused", textIndexes: [], status: response.status };
  }
  if (response.status === 429) {
    const seconds = Number(response.headers.get("retry-after") ?? RETRY_AFTER_SECONDS_DEFAULT);
    const retryAfterSeconds = Number.isFinite(seconds) && seconds > 0 ? seconds : RETRY_AFTER_SECONDS_DEFAULT;
    return { code: "embedder_overloaded", retryAfterSeconds: Math.min(retryAfterSeconds, RETRY_AFTER_SECONDS_MAX) };
  }
  return { code: "embedder_unavailable", cause: `HTTP ${response.status}` };
}

async function call(options: HttpEmbedderOptions, request: Call): Promise<Result<Response, EmbedError>> {
  const headers: Record<string, string> = { ...options.extraHeaders?.(), accept: "application/json" };
  if (options.token !== undefined) headers["authorization"] = `Bearer ${options.token}`;
  if (request.body !== undefined) headers["content-type"] = "application/json";
  if (request.lane !== undefined) headers["x-embed-lane"] = request.lane;
  try {
    const response = await options.fetch(`${options.endpoint.replace(/\/$/, "")}${request.path}`, {
      method: request.body === undefined ? "GET" : "POST",
      headers,
      ...(request.body === undefined ? {} : { body: request.body }),
      signal: AbortSignal.timeout(options.timeoutMs),
    });
    return response.ok ? ok(response) : err(await errorOf(response));
  } catch (cause) {
    const timedOut = cause instanceof Error && cause.name === "TimeoutError";
    return err({ code: timedOut ? "embedder_timeout" : "embedder_unavailable", cause });
  }
}

async function jsonOf(response: Response): Promise<Result<unknown, EmbedError>> {
  try {
    return ok(await response.json());
  } catch (cause) {
    return err({ code: "embedder_unavailable", cause });
  }
}

/** The fingerprint a server names, or one made of what text-embeddings-inference tells about itself. */
function fingerprintOf(info: {
  fingerprint?: string | undefined;
  model_id: string;
  model_sha?: string | null | undefined;
}): string {
  return info.fingerprint ?? `tei:${info.model_id}@${info.model_sha ?? "unknown"}`;
}

/** The embedding server over HTTP. Never throws; each failure says whether a retry can help. */
export function createHttpEmbedder(options: HttpEmbedderOptions): Embedder {
  async function info(): Promise<Result<EmbedderInfo, EmbedError>> {
    const response = await call(options, { path: "/info" });
    if (!response.ok) return response;
    const json = await jsonOf(response.value);
    if (!json.ok) return json;
    const parsed = infoReplySchema.safeParse(json.value);
    if (!parsed.success) return err({ code: "embedder_unavailable", cause: "unexpected /info reply" });
    return ok({
      fingerprint: fingerprintOf(parsed.data),
      modelName: parsed.data.model_id,
      revision: parsed.data.model_sha ?? parsed.data.revision ?? "",
      dimensions: parsed.data.dimensions ?? 0,
      maxInputTokens: parsed.data.max_input_length,
      queryPrefix: parsed.data.query_prefix ?? "",
      documentPrefix: parsed.data.document_prefix ?? "",
      weightsSha256: parsed.data.weights_sha256 ?? null,
    });
  }

  async function embed(
    texts: readonly string[],
    { lane, fingerprint }: { readonly lane: "interactive" | "bulk"; readonly fingerprint: string },
  ): Promise<Result<readonly Float32Array[], EmbedError>> {
    const body = JSON.stringify({ input: texts, encoding_format: "base64" });
    const response = await call(options, { path: "/v1/embeddings", body, lane });
    if (!response.ok) return response;
    const served = response.value.headers.get("x-embed-fingerprint") ?? fingerprint;
    if (served !== fingerprint) {
      await response.value.body?.cancel();
      return err({ code: "embedder_mismatch", fingerprint: served });
    }
    const json = await jsonOf(response.value);
    return json.ok ? vectorsOf(json.value, texts.length) : json;
  }

  async function tokenizer(): Promise<Result<Uint8Array<ArrayBuffer>, EmbedError>> {
    const response = await call(options, { path: "/tokenizer.json" });
    if (!response.ok) return response;
    try {
      const bytes = new Uint8Array(await response.value.arrayBuffer());
      if (bytes.length > TOKENIZER_BYTES_MAX)
        return err({ code: "embedder_unavailable", cause: "tokenizer too large" });
      return ok(bytes);
    } catch (cause) {
      return err({ code: "embedder_unavailable", cause });
    }
  }

  return { info, embed, tokenizer };
}

function vectorsOf(reply: unknown, textCount: number): Result<readonly Float32Array[], EmbedError> {
  const parsed = embeddingsReplySchema.safeParse(reply);
  if (!parsed.success || parsed.data.data.length !== textCount) {
    return err({ code: "embedder_unavailable", cause: "unexpected embeddings reply" });
  }
  const vectors: Float32Array[] = [];
  for (const { index, embedding } of parsed.data.data) {
    const vector = decodeVector(embedding);
    // As many vectors as texts, and none of them in the place of another: so every text has its own.
    if (!vector.ok || index >= textCount || vectors[index] !== undefined)
      return err({ code: "embedder_unavailable", cause: "malformed vector" });
    vectors[index] = vector.value;
  }
  return ok(vectors);
}
