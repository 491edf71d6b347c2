import type { Metadata } from "../contract/document.ts";
import { PII_TYPES, type PiiAction, type PiiPolicy } from "../contract/pii.ts";
import type { PiiCounts } from "../contract/wal-record.ts";
import { actionFor, applyPiiPolicy, stricter } from "../pii/apply-policy.ts";
import { findPii } from "../pii/find-pii.ts";

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
  const types = new Set(PII_TYPES.filter((type) => actionFor(policy, type) !== "allow"));
  const redact = (text: string): string => {
    const verdict = applyPiiPolicy(text, findPii(text, { types, scoreMin: policy.score_min }), policy);
    action = stricter(action, verdict.action);
    counts = sumCounts(counts, verdict.counts);
    return verdict.text;
  };
  if (!policy.enabled) return { metadata, action, counts };
  const entries = Object.entries(metadata).map(([key, value]) => {
    if (typeof value === "string") return [key, redact(value)] as const;
    if (Array.isArray(value))
      return [key, value.map((each) => (typeof each === "string" ? redact(each) : each))] as const;
    return [key, value] as const;
  });
  return { metadata: Object.fromEntries(entries), action, counts };
}
