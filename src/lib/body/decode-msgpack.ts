/** msgpack bodies. Structure is walked before the library sees it; each document is decoded by itself, so that one bad document is one verdict. */
import { err, ok, type Result } from "../base/result.ts";
import type { Problem } from "../contract/problem.ts";
import type { BodyLimits } from "./body-limits.ts";
import { decodeWalkedMsgpack } from "./decode-msgpack-value.ts";
import { refusal, type Candidate, type DecodedBody } from "./decoded-body.ts";
import { readMsgpackHeader, walkMsgpack, type MsgpackWalkError } from "./walk-msgpack.ts";

/** A msgpack body: a map `{documents: [...], batch_tag?}` or a bare array of documents. */
export function decodeMsgpack(bytes: Uint8Array, limits: BodyLimits): Result<DecodedBody, Problem> {
  const whole = walkMsgpack(bytes, 0, limits);
  if (!whole.ok) return err(walkProblem(whole.error, limits));
  if (whole.value.end !== bytes.length)
    return err(refusal("body_malformed", "there is something behind the msgpack value"));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const root = readMsgpackHeader(view, 0);
  if (root?.kind === "array") return decodeList(bytes, 0, limits);
  if (root?.kind !== "map") return err(refusal("body_invalid", "expected {documents: [...]} or an array of documents"));
  return decodeRootMap(bytes, root, limits);
}

function decodeRootMap(
  bytes: Uint8Array,
  root: { end: number; childCount: number },
  limits: BodyLimits,
): Result<DecodedBody, Problem> {
  let at = root.end;
  let list: number | undefined;
  let batchTag: unknown;
  for (let entry = 0; entry < root.childCount; entry += 2) {
    const valueStart = endOf(bytes, at, limits);
    const valueEnd = endOf(bytes, valueStart, limits);
    const key = decodeWalkedMsgpack(bytes.subarray(at, valueStart));
    if (key === "documents") list = valueStart;
    else if (key === "batch_tag") batchTag = decodeWalkedMsgpack(bytes.subarray(valueStart, valueEnd));
    else return err(refusal("body_invalid", "only documents and batch_tag may stand beside each other"));
    at = valueEnd;
  }
  if (list === undefined)
    return err({ ...refusal("body_invalid", "expected an array of documents"), pointer: "/documents" });
  const decoded = decodeList(bytes, list, limits);
  return decoded.ok && batchTag !== undefined ? ok({ ...decoded.value, batchTag }) : decoded;
}

function decodeList(bytes: Uint8Array, start: number, limits: BodyLimits): Result<DecodedBody, Problem> {
  const header = readMsgpackHeader(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), start);
  if (header?.kind !== "array")
    return err({ ...refusal("body_invalid", "expected an array of documents"), pointer: "/documents" });
  if (header.childCount === 0) return err(refusal("no_documents", "the list is empty"));
  if (header.childCount > limits.documentsMax)
    return err(refusal("too_many_documents", `at most ${limits.documentsMax} documents`));
  const candidates: Candidate[] = [];
  let at = header.end;
  for (let index = 0; index < header.childCount; index++) {
    const walk = walkMsgpack(bytes, at, limits);
    if (!walk.ok) return err(walkProblem(walk.error, limits));
    candidates.push(decodeCandidate(bytes.subarray(at, walk.value.end), walk.value.stringsAreUtf8));
    at = walk.value.end;
  }
  return ok({ candidates });
}

function decodeCandidate(bytes: Uint8Array, stringsAreUtf8: boolean): Candidate {
  if (!stringsAreUtf8) return { reason: { code: "document_not_utf8" } };
  const value = decodeWalkedMsgpack(bytes);
  return value === undefined ? { reason: { code: "document_malformed" } } : { value };
}

// Only called on bytes that were walked as a whole.
function endOf(bytes: Uint8Array, position: number, limits: BodyLimits): number {
  const walk = walkMsgpack(bytes, position, limits);
  return walk.ok ? walk.value.end : bytes.length;
}

function walkProblem(error: MsgpackWalkError, limits: BodyLimits): Problem {
  const problems: Readonly<Record<MsgpackWalkError["code"], Problem>> = {
    malformed: refusal("body_malformed", "not valid msgpack"),
    too_deep: refusal("body_too_deep", `at most ${limits.depthMax} levels`),
    too_many_values: refusal("body_too_large", `at most ${limits.valuesMax} values`),
  };
  return problems[error.code];
}
