import type { Detector } from "../detector.ts";
import { matchSpans } from "../match-spans.ts";

/** Longest URL taken whole, UTF-16 units: what browsers and proxies carry without trouble. */
const URL = /\b(?:https?|ftp):\/\/[^\s<>"'`{}|\\^[\]]{3,2048}/gi;
/** Without a scheme only under suffixes that are no file extension ("main.py" and "notes.md" are files). */
const BARE =
  /(?<![\w@./-])(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,4}(?:com|org|net|edu|gov|info|io|dev|app|co\.uk|org\.uk|ac\.uk|com\.au|com\.br|de|fr|es|it|nl|se|dk|fi|ch|at|be|cz|eu|ca|us|jp|cn)(?![\w@-]|\.\w)/gi;
const TRAILING_PUNCTUATION = /[.,;:!?)'*_]{1,16}$/;

/** URLs, and host names of well-known suffixes. */
export const domainNameDetector: Detector = {
  name: "domain-name",
  types: ["DOMAIN_NAME"],
  mayFind: (text) => text.includes("."),
  find(text) {
    const source = { text, detector: "domain-name" };
    const urls = matchSpans(source, URL, (match, start) => {
      const length = match[0].length - (TRAILING_PUNCTUATION.exec(match[0])?.[0].length ?? 0);
      return { type: "DOMAIN_NAME", score: 0.9, end: start + length };
    });
    return [...urls, ...matchSpans(source, BARE, () => ({ type: "DOMAIN_NAME", score: 0.7 }))];
  },
};
