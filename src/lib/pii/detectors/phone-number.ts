import { saidAround } from "../context-words.ts";
import { type Detector, hasDigit } from "../detector.ts";
import { matchSpans } from "../match-spans.ts";

/** E.164: digits of an international number, and the fewest that a subscriber number has where it stands alone. */
const DIGITS_MAX = 15;
const DIGITS_MIN = 6;

/** Digits in groups, with the signs that phone numbers use between them, and an extension. */
const CANDIDATE =
  /(?<![\w./@:#$€£¥+-]|\d[ ,])(?:\+\(?|\(\+?)?\d(?:[ ./()-]{0,3}\d){5,16}(?: ?(?:x|ext\.? ?)\d{1,6})?(?![\w@%]|[.,:/-]\d)/gi;

const PHONE_WORDS =
  /\b(?:phones?|tel|telephone|mobile|cell|cellular|fax|call(?:s|ed|ing)?|dial|ring|sms|text(?:s|ed)?|whatsapp|messages?|office|desk|landline|hotline|helpline|voicemail|answer(?:s|ed|ing)?|reach|contact|number|teléfono|telefon|móvil|handy|rufnummer)\b/i;
/** Words that say the number is something else. */
const OTHER_WORDS =
  /\b(?:order|invoice|ticket|isbn|issn|doi|version|account|acct|zip|postal|tracking|reference|ref|serial|sku|id|card|iban|ssn|license|licence|passport|nhs|population|since|dated?)[ .:#]{0,3}(?:number|no\.?|nr\.?|code|is|#)?[ :#]{0,3}$/i;

/** Signs before a plain number that no phone number has: "x >= 86400000", "f(1000, 86400000)". */
const IN_A_PROGRAM = /(?:[=<>*]\s{0,2}|\(|,\s{1,2})$/;

/** Forms that only phone numbers have. */
const FORMS: readonly { readonly form: RegExp; readonly score: number }[] = [
  { form: /^\+\(?[1-9][\d ./()-]{6,22}(?: ?(?:x|ext).*)?$/i, score: 0.95 },
  { form: /^\(?00[1-9][\d ./()-]{8,22}(?: ?(?:x|ext).*)?$/i, score: 0.85 },
  { form: /^(?:1[-. ])?\(?[2-9]\d{2}\)?[-. ]{0,2}[2-9]\d{2}[-.]\d{4}(?: ?(?:x|ext).*)?$/i, score: 0.85 },
  { form: /^\(\d{2,5}\) ?\d{2,4}[ -]?\d{3,4}(?: ?(?:x|ext).*)?$/i, score: 0.8 },
  { form: /^\(?0\d{1,4}\)?[ -/]\d{2,4}(?:[ -]\d{2,4}){1,4}$/, score: 0.7 },
  { form: /^\(?0\d{2,4}\)?[ -/]\d{6,8}$/, score: 0.65 },
  { form: /^0[1-9](?:[ .-]\d{2}){4}$/, score: 0.85 },
  { form: /x\d{2,6}$/i, score: 0.8 },
];

/** Dates, times, plain groups of thousands and ranges of years. */
const NOT_A_PHONE =
  /^(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}.*|\d{1,2}([-/.])\d{1,2}\1\d{2,4}(?: .*)?|\d{1,3}(?:[ .]000){1,4}|(?:1[89]|20)\d{2} ?[-/] ?(?:1[89]|20)\d{2})$/;

function hasBalancedParentheses(value: string): boolean {
  return value.split("(").length === value.split(")").length;
}

function scoreOf(text: string, range: { readonly start: number; readonly end: number }): number {
  const value = text.slice(range.start, range.end);
  const digitCount = value.replace(/(?:x|ext).*$/i, "").replace(/\D/g, "").length;
  if (digitCount < DIGITS_MIN || digitCount > DIGITS_MAX) return 0;
  if (NOT_A_PHONE.test(value) || !hasBalancedParentheses(value)) return 0;
  if (OTHER_WORDS.test(text.slice(Math.max(0, range.start - 40), range.start))) return 0;
  if (/^\d+$/.test(value) && IN_A_PROGRAM.test(text.slice(Math.max(0, range.start - 4), range.start))) return 0;
  const byForm = FORMS.find(({ form }) => form.test(value))?.score ?? 0;
  if (byForm >= 0.8) return byForm;
  return saidAround(text, range, PHONE_WORDS) ? Math.max(byForm, 0.75) : byForm;
}

/** Phone numbers: international form, national forms of several countries, or any grouping next to a word such as "call". */
export const phoneNumberDetector: Detector = {
  name: "phone-number",
  types: ["PHONE_NUMBER"],
  mayFind: hasDigit,
  find: (text) =>
    matchSpans({ text, detector: "phone-number" }, CANDIDATE, (match, start) => {
      const score = scoreOf(text, { start, end: start + match[0].length });
      return score > 0 ? { type: "PHONE_NUMBER", score } : undefined;
    }),
};
