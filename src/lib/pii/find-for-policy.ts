import { PII_TYPES, type PiiPolicy, type PiiSpan, type PiiType } from "../contract/pii.ts";
import { actionFor } from "./apply-policy.ts";
import { findPii } from "./find-pii.ts";

/** Types the policy does something about. */
export function typesActedOn(policy: PiiPolicy): ReadonlySet<PiiType> {
  return new Set(policy.enabled ? PII_TYPES.filter((type) => actionFor(policy, type) !== "allow") : []);
}

/** Spans of one text: sorted, without overlaps. */
export type PiiFinder = (text: string) => readonly PiiSpan[];

/** Looks for the types that the policy acts on: looking for names and addresses that are allowed anyway costs ten times the rest. */
export function finderFor(policy: PiiPolicy): PiiFinder {
  const types = typesActedOn(policy);
  return types.size === 0 ? () => [] : (text) => findPii(text, { types, scoreMin: policy.score_min });
}
