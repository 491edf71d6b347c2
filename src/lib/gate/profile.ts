import type { GateRule } from "../contract/gate-policy.ts";
import type { Tier } from "../contract/scope.ts";

/** Changes whenever a rule, a measure or a threshold does: it is stored with every verdict. */
export const GATE_VERSION = "2";

/** A threshold before and after all relaxation; null where the rule is measured and does not judge. */
export type ThresholdRange = { readonly strict: number; readonly floor: number } | null;

/** Thresholds of one tier. */
export type GateProfile = Readonly<Record<GateRule, ThresholdRange>>;

/** Share of control characters from which a text is binary, whatever the policy says. */
export const BINARY_SHARE_MAX = 0.1;

const DOCUMENT: GateProfile = {
  letters_few: { strict: 0.25, floor: 0.1 },
  encoded_blob: { strict: 0.5, floor: 0.8 },
  control_characters: { strict: 0.02, floor: 0.05 },
  replacement_characters: { strict: 0.01, floor: 0.05 },
  mojibake: { strict: 0.01, floor: 0.05 },
  repeated_word: { strict: 0.5, floor: 0.8 },
  repeated_line: { strict: 0.6, floor: 0.9 },
};

/** Live messages are short and informal: pasted figures, keys and repeated cries belong to a conversation. */
const EVENT: GateProfile = {
  ...DOCUMENT,
  letters_few: { strict: 0.1, floor: 0.05 },
  encoded_blob: { strict: 0.8, floor: 0.9 },
  repeated_word: { strict: 0.8, floor: 0.9 },
  repeated_line: { strict: 0.9, floor: 0.95 },
};

export const GATE_PROFILES: Readonly<Record<Tier, GateProfile>> = {
  event: EVENT,
  summary: DOCUMENT,
  doc: DOCUMENT,
  profile: DOCUMENT,
  artifact: DOCUMENT,
};
