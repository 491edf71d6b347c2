import { z } from "zod";

/** Values that give access to something. Stored in clear they are a breach by themselves. */
export const PII_SECRET_TYPES = [
  "PRIVATE_KEY",
  "JSON_WEB_TOKEN",
  "API_TOKEN",
  "PASSWORD",
  "CONNECTION_STRING",
] as const;

/** Numbers and codes with a public form, most of them with check digits. */
export const PII_IDENTIFIER_TYPES = [
  "CREDIT_CARD",
  "IBAN_CODE",
  "CRYPTO_WALLET",
  "US_SSN",
  "US_ITIN",
  "US_DRIVER_LICENSE",
  "PASSPORT",
  "UK_NHS",
  "UK_NINO",
  "CA_SIN",
  "DE_TAX_ID",
  "ES_NIF",
  "FR_NIR",
  "IT_FISCAL_CODE",
  "NL_BSN",
  "PL_PESEL",
  "SE_PERSONAL_NUMBER",
  "FI_PERSONAL_CODE",
  "BR_CPF",
  "IN_AADHAAR",
  "IN_PAN",
  "AU_TFN",
  "SG_NRIC",
] as const;

/** Ways to reach a person or a machine. */
export const PII_CONTACT_TYPES = ["EMAIL_ADDRESS", "PHONE_NUMBER", "IP_ADDRESS", "MAC_ADDRESS", "DOMAIN_NAME"] as const;

/** Read from wording and word lists, with no check digit to lean on: expect misses and false hits. */
export const PII_CONTEXT_TYPES = [
  "PERSON",
  "STREET_ADDRESS",
  "ZIP_CODE",
  "GPE",
  "ORGANIZATION",
  "TITLE",
  "NRP",
  "AGE",
  "DATE_TIME",
] as const;

/** Every type a detector may report. Names follow Presidio where it has the type. */
export const PII_TYPES = [
  ...PII_SECRET_TYPES,
  ...PII_IDENTIFIER_TYPES,
  ...PII_CONTACT_TYPES,
  ...PII_CONTEXT_TYPES,
] as const;
export type PiiType = (typeof PII_TYPES)[number];

/** From lenient to strict; the strictest action of all spans is that of the text. */
export const PII_ACTIONS = ["allow", "redact", "quarantine", "reject"] as const;
export type PiiAction = (typeof PII_ACTIONS)[number];

/** Half-open range of UTF-16 code units in the text that was searched. */
export interface PiiSpan {
  readonly type: PiiType;
  readonly start: number;
  readonly end: number;
  /** 0 to 1: 1 is a passed check digit or an unmistakable prefix. */
  readonly score: number;
  /** Which rule found it, such as `payment-card`; `analyzer:<name>` for the external one. */
  readonly detector: string;
}

/** A part of `tenants.policy`; `{}` is the default policy. */
export const piiPolicySchema = z.strictObject({
  enabled: z.boolean().default(true).describe("false: nothing is searched for"),
  default: z.enum(PII_ACTIONS).default("allow").describe("for types without an action of their own"),
  actions: z
    .partialRecord(z.enum(PII_TYPES), z.enum(PII_ACTIONS))
    .default({})
    .describe("by type; secrets and identifiers are redacted unless named here"),
  score_min: z.number().min(0).max(1).default(0.5).describe("spans with a lower score are ignored"),
  reversible: z
    .boolean()
    .default(false)
    .describe(
      "true: placeholders carry the value, encrypted with the tenant's key; refused where the operator holds none",
    ),
  analyzer_failure: z
    .enum(["closed", "open"])
    .default("closed")
    .describe("when the external analyzer does not answer: closed refuses the text for now, open goes on without it"),
});
export type PiiPolicy = z.infer<typeof piiPolicySchema>;
