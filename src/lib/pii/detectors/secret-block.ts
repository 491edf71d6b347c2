import type { PiiSpan, PiiType } from "../../contract/pii.ts";
import type { Detector } from "../detector.ts";

/** Longest private key taken whole, UTF-16 units: RSA-16384 in PEM has 13 thousand. */
const PRIVATE_KEY =
  /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-(?!-)){0,16384}(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)?/y;
/** Three base64url parts (RFC 7519); header and payload are JSON objects, and {" encodes to eyJ. */
const JSON_WEB_TOKEN = /(?<![\w-])eyJ[\w-]{8,2048}\.eyJ[\w-]{8,8192}\.[\w-]{0,2048}/y;
/** `scheme://user:password@host`: a database, a broker, basic authentication. */
const CREDENTIAL_URL = /[^\s:@/"'`<>]{0,100}:[^\s@/"'`<>]{1,200}@[^\s"'`<>,;)]{1,300}/y;

/** Longest scheme looked for before "://". */
const SCHEME_CHARACTERS_MAX = 30;

interface BlockRule {
  readonly type: PiiType;
  readonly anchor: string;
  /** Sticky; matched from the anchor on. */
  readonly pattern: RegExp;
  readonly score: number;
}

const RULES: readonly BlockRule[] = [
  { type: "PRIVATE_KEY", anchor: "-----BEGIN ", pattern: PRIVATE_KEY, score: 1 },
  { type: "JSON_WEB_TOKEN", anchor: "eyJ", pattern: JSON_WEB_TOKEN, score: 1 },
];

function blocksOf(text: string, { type, anchor, pattern, score }: BlockRule): readonly PiiSpan[] {
  const spans: PiiSpan[] = [];
  for (let at = text.indexOf(anchor); at >= 0;) {
    pattern.lastIndex = at;
    const length = pattern.exec(text)?.[0].length ?? 0;
    if (length > 0) spans.push({ type, start: at, end: at + length, score, detector: "secret-block" });
    at = text.indexOf(anchor, at + Math.max(length, anchor.length));
  }
  return spans;
}

function schemeStart(text: string, colon: number): number {
  let start = colon;
  while (start > 0 && colon - start < SCHEME_CHARACTERS_MAX && /[a-z0-9+.-]/i.test(text.charAt(start - 1))) start -= 1;
  return start;
}

function credentialUrlsOf(text: string): readonly PiiSpan[] {
  const spans: PiiSpan[] = [];
  for (let at = text.indexOf("://"); at >= 0; at = text.indexOf("://", at + 3)) {
    CREDENTIAL_URL.lastIndex = at + 3;
    const length = CREDENTIAL_URL.exec(text)?.[0].length ?? 0;
    const start = schemeStart(text, at);
    if (length === 0 || start === at) continue;
    spans.push({ type: "CONNECTION_STRING", start, end: at + 3 + length, score: 1, detector: "secret-block" });
  }
  return spans;
}

/** Secrets with an unmistakable frame: PEM private keys, JSON web tokens, URLs with a password. */
export const secretBlockDetector: Detector = {
  name: "secret-block",
  types: ["PRIVATE_KEY", "JSON_WEB_TOKEN", "CONNECTION_STRING"],
  mayFind: (text) => text.includes("-----BEGIN ") || text.includes("eyJ") || text.includes("://"),
  find: (text) => [...RULES.flatMap((rule) => blocksOf(text, rule)), ...credentialUrlsOf(text)],
};
