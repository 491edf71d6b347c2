import type { Tier } from "../contract/scope.ts";

/** Changes whenever a rule or a threshold does: it is stored with every verdict. */
export const GATE_VERSION = "1";

/** Thresholds of one tier. Shares are of the characters that are no blanks, unless named otherwise. */
export interface GateProfile {
  /** Share of letters below which a long text is no language: tables of figures, dumps. */
  readonly letterShareMin: number;
  /** Share of characters in unbroken runs that look like base64 or hex. */
  readonly encodedShareMax: number;
  /** Share of the most frequent word among all words. */
  readonly tokenShareMax: number;
  /** Share of the most frequent line among all lines. */
  readonly lineShareMax: number;
  /** Share of U+FFFD: what a wrong decoding left behind. */
  readonly replacementShareMax: number;
  /** Share of pairs that UTF-8 read as Latin-1 leaves behind. */
  readonly mojibakeShareMax: number;
  /** Share of control characters of all characters from which a text is suspect, and from which it is binary. */
  readonly controlShareMax: number;
  readonly binaryShareMax: number;
}

const DOCUMENT: GateProfile = {
  letterShareMin: 0.25,
  encodedShareMax: 0.5,
  tokenShareMax: 0.5,
  lineShareMax: 0.6,
  replacementShareMax: 0.01,
  mojibakeShareMax: 0.01,
  controlShareMax: 0.02,
  binaryShareMax: 0.1,
};

/** Live messages are short and informal: pasted figures, keys and repeated cries belong to a conversation. */
const EVENT: GateProfile = {
  ...DOCUMENT,
  letterShareMin: 0.1,
  encodedShareMax: 0.8,
  tokenShareMax: 0.8,
  lineShareMax: 0.9,
};

export const GATE_PROFILES: Readonly<Record<Tier, GateProfile>> = {
  event: EVENT,
  summary: DOCUMENT,
  doc: DOCUMENT,
  profile: DOCUMENT,
  artifact: DOCUMENT,
};

/** Sizes below which a rule does not judge: shares of a few characters say nothing. */
export const GATE_MINIMUMS = {
  /** Characters without blanks, for shares of characters. */
  characters: 64,
  /** Words, for repetition. */
  tokens: 50,
  /** Lines with more than three characters, for repetition. */
  lines: 20,
  /** Occurrences of replacement characters and of mojibake. */
  damage: 3,
} as const;
