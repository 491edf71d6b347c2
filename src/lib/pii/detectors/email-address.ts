import type { PiiSpan } from "../../contract/pii.ts";
import type { Detector } from "../detector.ts";

/** RFC 5321, 4.5.3.1: octets of a local part and of a domain. */
const LOCAL_CHARACTERS_MAX = 64;
const DOMAIN_CHARACTERS_MAX = 253;

const LOCAL_CHARACTER = /[\p{L}\p{N}.!#$%&'*+/=?^_`{|}~-]/u;
const DOMAIN_CHARACTER = /[\p{L}\p{N}.-]/u;
/** Quotes and operators that stand before an address more often than in it: "'a@b.org'", "to=a@b.org". */
const LEADING_NOISE = /^(?:.*=|[.!#$%&'*/?^`{|}~-]+)/;
/** "${icon}@2x.png" is a file in a program. */
const LOCAL_END = /[\p{L}\p{N}_+-]$/u;
const FILE_ENDING = /\.(?:png|jpe?g|gif|svg|webp|js|ts|css|html?|json|py)$/i;
/** At least two labels, the last of letters (or punycode). */
const DOMAIN = /^(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}(?:\p{L}{2,24}|xn--[a-z0-9-]{1,59})$/iu;

function walk(
  text: string,
  from: number,
  step: 1 | -1,
  rule: { readonly pattern: RegExp; readonly max: number },
): number {
  let position = from;
  while (Math.abs(position - from) < rule.max && rule.pattern.test(text.charAt(position + (step < 0 ? -1 : 0)))) {
    position += step;
  }
  return position;
}

function addressAround(text: string, at: number): PiiSpan | undefined {
  const localFrom = walk(text, at, -1, { pattern: LOCAL_CHARACTER, max: LOCAL_CHARACTERS_MAX });
  const noise = LEADING_NOISE.exec(text.slice(localFrom, at))?.[0].length ?? 0;
  const start = localFrom + noise;
  const local = text.slice(start, at);
  if (!LOCAL_END.test(local) || local.includes("..")) return undefined;
  const domainTo = walk(text, at + 1, 1, { pattern: DOMAIN_CHARACTER, max: DOMAIN_CHARACTERS_MAX });
  const domain = text.slice(at + 1, domainTo).replace(/[.-]{1,253}$/, "");
  if (!DOMAIN.test(domain) || FILE_ENDING.test(domain)) return undefined;
  return { type: "EMAIL_ADDRESS", start, end: at + 1 + domain.length, score: 1, detector: "email-address" };
}

/** E-mail addresses in dot-atom form (RFC 5322), Unicode letters included (RFC 6531). Looks only at the surroundings of each "@". */
export const emailAddressDetector: Detector = {
  name: "email-address",
  types: ["EMAIL_ADDRESS"],
  mayFind: (text) => text.includes("@"),
  find(text) {
    const spans: PiiSpan[] = [];
    for (let at = text.indexOf("@"); at >= 0; at = text.indexOf("@", at + 1)) {
      const span = addressAround(text, at);
      if (span !== undefined && span.start >= (spans.at(-1)?.end ?? 0)) spans.push(span);
    }
    return spans;
  },
};
