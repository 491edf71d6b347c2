import { utf8Text } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Problem } from "../contract/problem.ts";
import type { BodyLimits } from "./body-limits.ts";
import { refusal, type Candidate, type DecodedBody } from "./decoded-body.ts";
import { scanJson } from "./scan-json.ts";

const BYTE_ORDER_MARK = "\ufeff";

/** A JSON body: `{documents: [...], batch_tag?}` or a bare array of documents. */
export function decodeJson(bytes: Uint8Array, limits: BodyLimits): Result<DecodedBody, Problem> {
  const text = utf8Text(bytes);
  if (text === undefined) return err(refusal("body_not_utf8", "JSON must be UTF-8"));
  const scan = scanJson(text, limits);
  if (scan === "too_deep") return err(refusal("body_too_deep", `at most ${limits.depthMax} levels`));
  if (scan === "too_many_values") return err(refusal("body_too_large", `at most ${limits.valuesMax} values`));
  const parsed = parseJson(text);
  return parsed.ok ? bodyOf(parsed.value, limits) : err(refusal("body_malformed", "not valid JSON"));
}

function parseJson(text: string): Result<unknown, "malformed"> {
  try {
    return ok(JSON.parse(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text));
  } catch {
    return err("malformed");
  }
}

function bodyOf(root: unknown, limits: BodyLimits): Result<DecodedBody, Problem> {
  if (Array.isArray(root)) return candidatesOf(root, undefined, limits);
  if (typeof root !== "object" || root === null) {
    return err(refusal("body_invalid", "expected {documents: [...]} or an array of documents"));
  }
  const unknown = Object.keys(root).find((key) => key !== "documents" && key !== "batch_tag");
  if (unknown !== undefined)
    return err(refusal("body_invalid", "only documents and batch_tag may stand beside each other"));
  const documents: unknown = Reflect.get(root, "documents");
  if (!Array.isArray(documents))
    return err({ ...refusal("body_invalid", "expected an array of documents"), pointer: "/documents" });
  return candidatesOf(documents, Reflect.get(root, "batch_tag"), limits);
}

function candidatesOf(
  documents: readonly unknown[],
  batchTag: unknown,
  limits: BodyLimits,
): Result<DecodedBody, Problem> {
  if (documents.length === 0) return err(refusal("no_documents", "the list is empty"));
  if (documents.length > limits.documentsMax)
    return err(refusal("too_many_documents", `at most ${limits.documentsMax} documents`));
  return ok({
    candidates: documents.map((value): Candidate => ({ value })),
    ...(batchTag === undefined ? {} : { batchTag }),
  });
}
