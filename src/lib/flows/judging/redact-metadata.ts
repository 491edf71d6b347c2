import type { Metadata } from "../../contract/document.ts";
import { PII_TYPES, type PiiAction, type PiiPolicy } from "../../contract/pii.ts";
import type { PiiCounts } from "../../contract/wal-record.ts";
import { applyPiiPolicy, stricter } from "../../pii/apply-policy.ts";
import { finderFor } from "../../pii/find-for-policy.ts";
import { mapMetadataStrings } from "./metadata-strings.ts";

/** Metadata as it may be stored, and what was found in it. */
export interface RedactedMetadata {
  readonly metadata: Metadata;
  readonly action: PiiAction;
  readonly counts: PiiCounts;
}

/** The sum of two counts by type. */
export function sumCounts(a: PiiCounts, b: PiiCounts): PiiCounts {
  const sum: PiiCounts = { ...a };
  for (const type of PII_TYPES) {
    const count = b[type];
    if (count !== undefined) sum[type] = (sum[type] ?? 0) + count;
  }
  return sum;
}

/**
 * Applies the policy to every string of a document's metadata: it is stored and returned with each hit like the text itself. Keys are names of
 * fields and stay. Pure.
 */
export function redactMetadata(metadata: Metadata, policy: PiiPolicy): RedactedMetadata {
  let action: PiiAction = "allow";
  let counts: PiiCounts = {};
  const find = finderFor(policy);
  const redact = (text: string): string => {
    const verdict = applyPiiPolicy(text, find(text), policy);
    action = stricter(action, verdict.action);
    counts = sumCounts(counts, verdict.counts);
    return verdict.text;
  };
  const redacted = policy.enabled ? mapMetadataStrings(metadata, redact) : metadata;
  return { metadata: redacted, action, counts };
}
