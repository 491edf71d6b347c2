import { utf8Text } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Problem } from "../contract/problem.ts";
import type { BodyLimits } from "./body-limits.ts";
import { refusal, type Candidate, type DecodedBody } from "./decoded-body.ts";
import { scanJson } from "./scan-json.ts";

const LINE_FEED = 10;

/** One document a line. Empty lines count for nothing; a bad line is a verdict for that line and for no other. */
export function decodeNdjson(bytes: Uint8Array, limits: BodyLimits): Result<DecodedBody, Problem> {
  const candidates: Candidate[] = [];
  let valuesLeft = limits.valuesMax;
  let start = 0;
  while (start < bytes.length) {
    const feed = bytes.indexOf(LINE_FEED, start);
    const end = feed === -1 ? bytes.length : feed;
    const line = bytes.subarray(start, end);
    start = end + 1;
    if (isBlank(line)) continue;
    if (candidates.length >= limits.documentsMax)
      return err(refusal("too_many_documents", `at most ${limits.documentsMax} documents`));
    // A value needs two bytes, so a line's length bounds what it takes from the budget of all lines.
    valuesLeft -= countCommas(line);
    if (valuesLeft < 0) return err(refusal("body_too_large", `at most ${limits.valuesMax} values`));
    candidates.push(decodeLine(line, limits));
  }
  return candidates.length === 0 ? err(refusal("no_documents", "there is no line")) : ok({ candidates });
}

function decodeLine(line: Uint8Array, limits: BodyLimits): Candidate {
  const text = utf8Text(line);
  if (text === undefined) return { reason: { code: "line_not_utf8" } };
  // A line is one level below the root and the list of documents, which a JSON body would have.
  if (scanJson(text, { ...limits, depthMax: limits.depthMax - 2 }) === "too_deep") {
    return { reason: { code: "line_too_deep", threshold: limits.depthMax - 2 } };
  }
  try {
    return { value: JSON.parse(text.replace(/^\ufeff/, "")) };
  } catch {
    return { reason: { code: "line_malformed" } };
  }
}

function countCommas(line: Uint8Array): number {
  let count = 1;
  for (let at = line.indexOf(44); at !== -1; at = line.indexOf(44, at + 1)) count++;
  return count;
}

function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 32 || byte === 9 || byte === 13);
}
