import { type Detector, hasDigit } from "../detector.ts";
import { passesMod97 } from "../identifiers/check-digits.ts";
import { IBAN_LENGTHS } from "../identifiers/iban-lengths.ts";
import { matchSpans } from "../match-spans.ts";

/** Country, two check digits, then 11 to 30 letters and digits, in one piece or in groups parted by one space or dash. */
const CANDIDATE = /\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}/gi;

/** ISO 13616: true for a known country, its length, and a remainder of 1 modulo 97. `value` holds letters and digits only. */
export function isIban(value: string): boolean {
  const compact = value.toUpperCase();
  if (compact.length !== IBAN_LENGTHS.get(compact.slice(0, 2))) return false;
  return passesMod97(compact.slice(4) + compact.slice(0, 4));
}

/** UTF-16 units of the candidate that make up as many letters and digits as the country's IBAN has; 0 where it has fewer. */
function lengthOfIban(candidate: string): number {
  const wanted = IBAN_LENGTHS.get(candidate.slice(0, 2).toUpperCase()) ?? Number.POSITIVE_INFINITY;
  let counted = 0;
  for (let index = 0; index < candidate.length; index++) {
    if (/[ -]/.test(candidate.charAt(index))) continue;
    counted += 1;
    if (counted === wanted) return index + 1;
  }
  return 0;
}

/** International bank account numbers: SWIFT's registry of lengths and the check digits of ISO 7064. */
export const ibanDetector: Detector = {
  name: "iban",
  types: ["IBAN_CODE"],
  mayFind: hasDigit,
  find: (text) =>
    matchSpans({ text, detector: "iban" }, CANDIDATE, (match, start) => {
      const length = lengthOfIban(match[0]);
      if (length === 0 || /\w/.test(text.charAt(start + length))) return undefined;
      if (!isIban(match[0].slice(0, length).replace(/[ -]/g, ""))) return undefined;
      return { type: "IBAN_CODE", score: 1, end: start + length };
    }),
};
