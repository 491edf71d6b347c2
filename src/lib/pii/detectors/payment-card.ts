import { saidAround } from "../context-words.ts";
import { type Detector, hasDigit } from "../detector.ts";
import { digitsOf, isOneDigitRepeated, passesLuhn } from "../identifiers/check-digits.ts";
import { matchSpans } from "../match-spans.ts";

/** ISO/IEC 7812: Maestro has issued 12 digits; longer than 19 is no card number. */
const DIGITS_MIN = 12;
/** Fewest digits that are taken without a word such as "card" near them. */
const DIGITS_ALONE_MIN = 13;

const CARD_WORDS =
  /\b(?:cards?|cc|credit|debit|visa|mastercard|amex|maestro|diners|discover|jcb|charged?|paid|payments?|billing|expir(?:es|ed|y)|cvv|cvc)\b/i;

/** Issuer ranges: first and last prefix, and the lengths the network issues. */
const ISSUERS: readonly { readonly from: string; readonly to: string; readonly lengths: readonly number[] }[] = [
  { from: "4", to: "4", lengths: [13, 16, 19] }, // Visa
  { from: "51", to: "55", lengths: [16] }, // Mastercard
  { from: "2221", to: "2720", lengths: [16] }, // Mastercard, series 2
  { from: "34", to: "34", lengths: [15] }, // American Express
  { from: "37", to: "37", lengths: [15] },
  { from: "300", to: "305", lengths: [14, 16, 19] }, // Diners Club
  { from: "3095", to: "3095", lengths: [14, 16, 19] },
  { from: "36", to: "36", lengths: [14, 16, 19] },
  { from: "38", to: "39", lengths: [14, 16, 19] },
  { from: "3528", to: "3589", lengths: [16, 17, 18, 19] }, // JCB
  { from: "1800", to: "1800", lengths: [15] },
  { from: "2131", to: "2131", lengths: [15] },
  { from: "6011", to: "6011", lengths: [16, 19] }, // Discover
  { from: "644", to: "659", lengths: [16, 19] }, // Discover, RuPay
  { from: "60", to: "60", lengths: [16] }, // RuPay
  { from: "81", to: "82", lengths: [16] }, // RuPay
  { from: "62", to: "62", lengths: [16, 17, 18, 19] }, // UnionPay
  { from: "2200", to: "2204", lengths: [16] }, // Mir
  { from: "50", to: "50", lengths: [13, 15, 16, 18, 19] }, // Maestro
  { from: "56", to: "58", lengths: [13, 15, 16, 18, 19] },
  { from: "63", to: "63", lengths: [13, 15, 16, 18, 19] },
  { from: "67", to: "67", lengths: [13, 15, 16, 18, 19] },
  { from: "9792", to: "9792", lengths: [16] }, // Troy
];

/** 12 to 19 digits in one piece or in groups parted by one space, dash or dot. */
const CANDIDATE = /(?<![\w.-])\d(?:[ .-]?\d){11,18}(?!\w)/g;

function isIssued(digits: string): boolean {
  return ISSUERS.some(({ from, to, lengths }) => {
    const prefix = digits.slice(0, from.length);
    return lengths.includes(digits.length) && prefix >= from && prefix <= to;
  });
}

/** True for a number that passes Luhn and has an issuer's prefix and length. */
export function isPaymentCardNumber(value: string): boolean {
  const digits = digitsOf(value);
  return digits.length >= DIGITS_ALONE_MIN && isIssued(digits.join("")) && hasCheckDigit(digits);
}

function hasCheckDigit(digits: readonly number[]): boolean {
  return passesLuhn(digits) && !isOneDigitRepeated(digits);
}

/** Groups as cards print them; a number in other groups ("1 2345 …") is a list of numbers. */
function isWellGrouped(value: string): boolean {
  const groups = value.split(/[ .-]/);
  return groups.length === 1 || groups.every((group, index) => group.length >= (index === groups.length - 1 ? 1 : 3));
}

/** The candidate, or the longest part of it that starts with it and ends at a group: "4111 1111 1111 1111 737". */
function cardIn(candidate: string, isCard: (value: string) => boolean): string | undefined {
  for (let end = candidate.length; end >= DIGITS_MIN; end--) {
    const isBoundary = end === candidate.length || /[ .-]/.test(candidate.charAt(end));
    const value = candidate.slice(0, end);
    if (isBoundary && isWellGrouped(value) && isCard(value)) return value;
  }
  return undefined;
}

/** Card numbers: Luhn (ISO/IEC 7812-1) with an issuer's range and length, or with a word next to it that says "card". */
export const paymentCardDetector: Detector = {
  name: "payment-card",
  types: ["CREDIT_CARD"],
  mayFind: hasDigit,
  find: (text) =>
    matchSpans({ text, detector: "payment-card" }, CANDIDATE, (match, start) => {
      const issued = cardIn(match[0], isPaymentCardNumber);
      if (issued !== undefined) return { type: "CREDIT_CARD", score: 1, end: start + issued.length };
      if (!saidAround(text, { start, end: start + match[0].length }, CARD_WORDS)) return undefined;
      const named = cardIn(match[0], (value) => hasCheckDigit(digitsOf(value)));
      return named === undefined ? undefined : { type: "CREDIT_CARD", score: 0.9, end: start + named.length };
    }),
};
