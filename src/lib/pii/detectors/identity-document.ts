import type { PiiSpan } from "../../contract/pii.ts";
import { type Detector, hasDigit } from "../detector.ts";
import { matchesOf } from "../match-spans.ts";

interface DocumentRule {
  readonly type: "US_DRIVER_LICENSE" | "PASSPORT";
  /** The words, then at most three small words, then the number in group 1. Case is ignored. */
  readonly pattern: RegExp;
}

const FILLER = "(?:[ \\t]{0,2}(?:number|no\\.?|num\\.?|nr\\.?|id|is|was|it's|its|card|#|:|=|-)){0,5}[ \\t]{0,3}";

const RULES: readonly DocumentRule[] = [
  {
    type: "US_DRIVER_LICENSE",
    pattern: new RegExp(
      `\\b(?:driver'?s?|drivers'|driving|driver’s)[ \\t]{1,2}(?:licen[sc]e|permit)${FILLER}([a-z0-9][a-z0-9-]{3,18}[a-z0-9])(?![\\w-])`,
      "dgi",
    ),
  },
  {
    type: "US_DRIVER_LICENSE",
    pattern: new RegExp(`\\bDLN?${FILLER}([a-z0-9][a-z0-9-]{3,18}[a-z0-9])(?![\\w-])`, "dgi"),
  },
  { type: "PASSPORT", pattern: new RegExp(`\\bpassport${FILLER}([a-z]{0,3}\\d{6,9})(?![\\w-])`, "dgi") },
];

/** Digits that a document number has at least: "license agreement" names none. */
const DIGITS_MIN = 4;

function spansOfRule(text: string, { type, pattern }: DocumentRule): readonly PiiSpan[] {
  const spans: PiiSpan[] = [];
  for (const match of matchesOf(text, pattern)) {
    const range = match.indices?.[1];
    if (range === undefined || (match[1]?.replace(/\D/g, "").length ?? 0) < DIGITS_MIN) continue;
    spans.push({ type, start: range[0], end: range[1], score: 0.9, detector: "identity-document" });
  }
  return spans;
}

/** Numbers of driving licences and passports. Their forms differ by state and hold no check digit, so only words next to them tell. */
export const identityDocumentDetector: Detector = {
  name: "identity-document",
  types: ["US_DRIVER_LICENSE", "PASSPORT"],
  mayFind: (text) => hasDigit(text) && /driv|passport|\bDL/i.test(text),
  find: (text) => RULES.flatMap((rule) => spansOfRule(text, rule)),
};
