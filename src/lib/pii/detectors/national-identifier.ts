import type { PiiSpan, PiiType } from "../../contract/pii.ts";
import { saidAround } from "../context-words.ts";
import type { Detector } from "../detector.ts";
import * as check from "../identifiers/national-checks.ts";
import { matchSpans } from "../match-spans.ts";

interface IdentifierRule {
  readonly type: PiiType;
  /** Global, its quantifiers bounded. */
  readonly pattern: RegExp;
  readonly isValid: (value: string) => boolean;
  /** Words that name the identifier. */
  readonly words: RegExp;
  /** Score without such a word: what form and check digits alone are worth. 0: the words are required. */
  readonly scoreAlone: number;
}

/** Every form below has six digits with at most one sign between them, or five letters before two digits. */
const MAY_HOLD_ONE = /\d(?:[ .-]?\d){5}|[a-z]{5}\d\d/i;

/** Score of a valid form next to a word that names it. */
const SCORE_NAMED = 0.97;

const RULES: readonly IdentifierRule[] = [
  {
    type: "US_SSN",
    pattern: /(?<![\w.-])\d{3}([- ])\d{2}\1\d{4}(?![\w-])/g,
    isValid: check.isUsSsn,
    words: /\b(?:ssn|ss#|social)/i,
    scoreAlone: 0.85,
  },
  {
    type: "US_SSN",
    pattern: /(?<![\w.-])\d{9}(?![\w-])/g,
    isValid: check.isUsSsn,
    words: /\b(?:ssns?\b|ss#|social security)/i,
    scoreAlone: 0,
  },
  {
    type: "US_ITIN",
    pattern: /(?<![\w.-])9\d{2}([- ]?)\d{2}\1\d{4}(?![\w-])/g,
    isValid: check.isUsItin,
    words: /\b(?:itin|taxpayer|tax id)/i,
    scoreAlone: 0,
  },
  {
    type: "UK_NHS",
    pattern: /(?<![\w.-])\d{3}([- ]?)\d{3}\1\d{4}(?![\w-])/g,
    isValid: check.isNhsNumber,
    words: /\b(?:nhs|national health|health service)\b/i,
    scoreAlone: 0,
  },
  {
    type: "UK_NINO",
    pattern: /\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b/gi,
    isValid: check.isNationalInsuranceNumber,
    words: /\b(?:national insurance|nino|ni number)/i,
    scoreAlone: 0.8,
  },
  {
    type: "CA_SIN",
    pattern: /(?<![\w.-])\d{3}([- ]?)\d{3}\1\d{3}(?![\w-])/g,
    isValid: check.isSocialInsuranceNumber,
    words: /\b(?:sin|social insurance|nas|assurance sociale)\b/i,
    scoreAlone: 0,
  },
  {
    type: "DE_TAX_ID",
    pattern: /(?<![\w.-])[1-9]\d ?\d{3} ?\d{3} ?\d{3}(?![\w-])/g,
    isValid: check.isGermanTaxId,
    words: /(?:steuer|\btax|\bidnr|\btin\b|\bidentifikationsnummer)/i,
    scoreAlone: 0,
  },
  {
    type: "ES_NIF",
    pattern: /\b(?:\d{8}|[XYZ][- ]?\d{7})[- ]?[A-Z]\b/gi,
    isValid: check.isSpanishNif,
    words: /\b(?:dni|nif|nie|documento)\b/i,
    scoreAlone: 0.8,
  },
  {
    type: "FR_NIR",
    pattern: /\b[12] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}\b/gi,
    isValid: check.isFrenchNir,
    words: /(?:\bnir\b|\binsee|sécurité sociale|securite sociale|\bsécu\b)/i,
    scoreAlone: 0.9,
  },
  {
    type: "IT_FISCAL_CODE",
    pattern: /\b[A-Z]{6}[0-9LMNP-V]{2}[ABCDEHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]\b/gi,
    isValid: check.isItalianFiscalCode,
    words: /\b(?:codice fiscale|fiscal code)/i,
    scoreAlone: 0.97,
  },
  {
    type: "NL_BSN",
    pattern: /(?<![\w.-])\d{4}([. ]?)\d{2}\1\d{3}(?![\w-])/g,
    isValid: check.isDutchBsn,
    words: /\b(?:bsn|burgerservicenummer|sofi)/i,
    scoreAlone: 0,
  },
  {
    type: "PL_PESEL",
    pattern: /(?<![\w.-])\d{11}(?![\w-])/g,
    isValid: check.isPesel,
    words: /\bpesel/i,
    scoreAlone: 0.4,
  },
  {
    type: "SE_PERSONAL_NUMBER",
    pattern: /(?<![\w.-])(?:19|20)?\d{6}[-+]\d{4}(?![\w-])/g,
    isValid: check.isSwedishPersonalNumber,
    words: /\b(?:personnummer|personal (?:identity )?number|samordningsnummer)/i,
    scoreAlone: 0.7,
  },
  {
    type: "FI_PERSONAL_CODE",
    pattern: /(?<![\w.-])\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y](?![\w-])/gi,
    isValid: check.isFinnishPersonalCode,
    words: /\b(?:henkilötunnus|hetu|personal identity code)/i,
    scoreAlone: 0.9,
  },
  {
    type: "BR_CPF",
    pattern: /(?<![\w.-])\d{3}\.\d{3}\.\d{3}-\d{2}(?![\w-])/g,
    isValid: check.isCpf,
    words: /\bcpf\b/i,
    scoreAlone: 0.97,
  },
  {
    type: "BR_CPF",
    pattern: /(?<![\w.-])\d{9}-?\d{2}(?![\w-])/g,
    isValid: check.isCpf,
    words: /\bcpf\b/i,
    scoreAlone: 0.4,
  },
  {
    type: "IN_AADHAAR",
    pattern: /(?<![\w.-])[2-9]\d{3}([ -]?)\d{4}\1\d{4}(?![\w-]| \d)/g,
    isValid: check.isAadhaar,
    words: /\b(?:aadhaar|aadhar|uidai|uid)\b/i,
    scoreAlone: 0.4,
  },
  {
    type: "IN_PAN",
    pattern: /\b[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]\b/gi,
    isValid: () => true,
    words: /\b(?:pan|permanent account)\b/i,
    scoreAlone: 0.6,
  },
  {
    type: "AU_TFN",
    pattern: /(?<![\w.-])\d{3}([ -]?)\d{3}\1\d{3}(?![\w-])/g,
    isValid: check.isTaxFileNumber,
    words: /\b(?:tfn|tax file)/i,
    scoreAlone: 0,
  },
  {
    type: "SG_NRIC",
    pattern: /\b[STFGM]\d{7}[A-Z]\b/gi,
    isValid: check.isNric,
    words: /\b(?:nric|fin)\b/i,
    scoreAlone: 0.9,
  },
];

function spansOfRule(text: string, rule: IdentifierRule): readonly PiiSpan[] {
  return matchSpans({ text, detector: "national-identifier" }, rule.pattern, (match, start) => {
    if (!rule.isValid(match[0])) return undefined;
    if (saidAround(text, { start, end: start + match[0].length }, rule.words)) {
      return { type: rule.type, score: SCORE_NAMED };
    }
    return rule.scoreAlone > 0 ? { type: rule.type, score: rule.scoreAlone } : undefined;
  });
}

/** Identifiers of persons that states issue, where form and check digits are public. */
export const nationalIdentifierDetector: Detector = {
  name: "national-identifier",
  types: [...new Set(RULES.map((rule) => rule.type))],
  mayFind: (text) => MAY_HOLD_ONE.test(text),
  find: (text) => RULES.flatMap((rule) => spansOfRule(text, rule)),
};
