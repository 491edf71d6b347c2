import type { PiiSpan, PiiType } from "../contract/pii.ts";
import type { Detector } from "./detector.ts";
import { accessTokenDetector } from "./detectors/access-token.ts";
import { cryptoWalletDetector } from "./detectors/crypto-wallet.ts";
import { domainNameDetector } from "./detectors/domain-name.ts";
import { emailAddressDetector } from "./detectors/email-address.ts";
import { ibanDetector } from "./detectors/iban.ts";
import { identityDocumentDetector } from "./detectors/identity-document.ts";
import { jobTitleDetector } from "./detectors/job-title.ts";
import { nationalIdentifierDetector } from "./detectors/national-identifier.ts";
import { networkAddressDetector } from "./detectors/network-address.ts";
import { paymentCardDetector } from "./detectors/payment-card.ts";
import { phoneNumberDetector } from "./detectors/phone-number.ts";
import { secretBlockDetector } from "./detectors/secret-block.ts";
import { personalFactDetector } from "./detectors/personal-fact.ts";
import { namedEntityDetector } from "./named-entity/find-entities.ts";
import { outsidePlaceholders } from "./placeholder.ts";
import { resolveOverlaps } from "./resolve-overlaps.ts";
import { streetAddressDetector } from "./street-address/find-addresses.ts";

/**
 * Version of the rules as a whole: raised with any change that can alter a span. Each stored chunk carries the one it was searched with.
 * Compared as a number.
 */
export const PII_RULES_VERSION = "1";

export interface PiiOptions {
  /** Types to look for; all when left out. Detectors of no wanted type do not run. */
  readonly types?: ReadonlySet<PiiType>;
  /** Spans with a lower score are left out; 0.5 when left out. */
  readonly scoreMin?: number;
}

const SCORE_MIN_DEFAULT = 0.5;

const DETECTORS: readonly Detector[] = [
  secretBlockDetector,
  accessTokenDetector,
  paymentCardDetector,
  ibanDetector,
  nationalIdentifierDetector,
  identityDocumentDetector,
  emailAddressDetector,
  phoneNumberDetector,
  networkAddressDetector,
  domainNameDetector,
  cryptoWalletDetector,
  personalFactDetector,
  streetAddressDetector,
  jobTitleDetector,
  namedEntityDetector,
];

/**
 * Personal data and secrets in a text: spans in UTF-16 offsets, sorted, without overlaps. Pure; time linear in the text.
 * A type that is not wanted takes no characters from one that is.
 */
export function findPii(text: string, options: PiiOptions = {}): readonly PiiSpan[] {
  const { types, scoreMin = SCORE_MIN_DEFAULT } = options;
  const found: PiiSpan[] = [];
  for (const detector of DETECTORS) {
    if (types !== undefined && !detector.types.some((type) => types.has(type))) continue;
    if (!detector.mayFind(text)) continue;
    for (const span of detector.find(text)) {
      if (span.score >= scoreMin && (types === undefined || types.has(span.type))) found.push(span);
    }
  }
  return resolveOverlaps(outsidePlaceholders(text, found), text.length);
}
