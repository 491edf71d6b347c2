import { boundedText } from "../base/bounded-text.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { PiiSpan } from "../contract/pii.ts";
import { spansOfReply } from "./analyzer-reply.ts";

export interface AnalyzerOptions {
  /** Base URL of a server with Presidio's analyzer API. */
  readonly endpoint: string;
  /** Milliseconds until a call is given up, body included. */
  readonly timeoutMs: number;
  /** ISO 639-1 code of the texts' language; the analyzer refuses languages it has no model for. */
  readonly language: string;
  readonly fetch: typeof fetch;
}

/** No error holds a part of the text or of the reply. */
export type AnalyzerError =
  | { readonly code: "analyzer_timeout" }
  | { readonly code: "analyzer_unavailable"; readonly status: number | undefined }
  | { readonly code: "analyzer_reply_too_large"; readonly bytesMax: number }
  | { readonly code: "analyzer_reply_malformed" };

/** Finds spans by other means than the built-in rules. */
export type Analyzer = (text: string, scoreMin: number) => Promise<Result<readonly PiiSpan[], AnalyzerError>>;

/** Bytes of a reply: about 100 for each span, with explanations left out. */
const REPLY_BYTES_MAX = 4 * 1024 * 1024;

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function spansOfResponse(response: Response, text: string): Promise<Result<readonly PiiSpan[], AnalyzerError>> {
  if (!response.ok) {
    await response.body?.cancel();
    return err({ code: "analyzer_unavailable", status: response.status });
  }
  const body = await boundedText(response, REPLY_BYTES_MAX);
  if (body === undefined) return err({ code: "analyzer_reply_too_large", bytesMax: REPLY_BYTES_MAX });
  const spans = spansOfReply(parsedJson(body), text);
  return spans === undefined ? err({ code: "analyzer_reply_malformed" }) : ok(spans);
}

/** Client of `POST /analyze` (Presidio). Never throws. The text goes to that server only: it has to be one the operator trusts. */
export function createAnalyzer(options: AnalyzerOptions): Analyzer {
  return async (text, scoreMin) => {
    try {
      const response = await options.fetch(`${options.endpoint.replace(/\/$/, "")}/analyze`, {
        method: "POST",
        headers: { accept: "application/json", "content-type": "application/json" },
        body: JSON.stringify({ text, language: options.language, score_threshold: scoreMin }),
        signal: AbortSignal.timeout(options.timeoutMs),
      });
      return await spansOfResponse(response, text);
    } catch (cause) {
      const isTimeout = cause instanceof Error && cause.name === "TimeoutError";
      return err(isTimeout ? { code: "analyzer_timeout" } : { code: "analyzer_unavailable", status: undefined });
    }
  };
}
