/** Colours with a meaning; the style sheet has one of each for light and dark. */
export type Tone = "accepted" | "relaxed" | "duplicate" | "quarantined" | "rejected" | "neutral";

export interface Segment {
  readonly label: string;
  readonly tone: Tone;
  readonly count: number;
}

export interface SourceRow {
  readonly name: string;
  readonly tier: string;
  readonly total: number;
  readonly segments: readonly Segment[];
}

export interface BarRow {
  readonly label: string;
  readonly note: string;
  readonly tone: Tone;
  readonly count: number;
}

/** Counts by source (rows) and rule (columns). */
export interface Matrix {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly counts: readonly (readonly number[])[];
}

export interface LengthBin {
  readonly from: number;
  readonly to: number;
  readonly accepted: number;
  readonly other: number;
}

export interface RelaxationView {
  readonly target: number;
  readonly reached: number;
  readonly stepsMax: number;
  readonly relaxedCount: number;
  readonly steps: readonly { readonly step: number; readonly passed: number; readonly passRate: number }[];
}

export interface DriftRow {
  readonly dimension: string;
  readonly psi: number;
  readonly jsBits: number;
  readonly verdict: "steady" | "drifted" | "too_few";
}

export interface RefusalRow {
  readonly code: string;
  readonly meaning: string;
  readonly examples: readonly string[];
  readonly count: number;
}

/** What a report page shows, whichever report it is made of. Parts that a report does not have are empty or null. */
export interface ReportView {
  readonly title: string;
  readonly subtitle: string;
  /** The sentence that a reader in a hurry takes away. */
  readonly summary: string;
  readonly tiles: readonly { readonly label: string; readonly value: string; readonly note: string }[];
  readonly outcome: readonly Segment[];
  readonly relaxation: RelaxationView | null;
  readonly sources: readonly SourceRow[];
  readonly reasons: readonly BarRow[];
  readonly matrix: Matrix | null;
  readonly lengths: readonly LengthBin[];
  readonly pii: readonly BarRow[];
  readonly drift: { readonly baseline: string; readonly rows: readonly DriftRow[] } | null;
  readonly refusals: readonly RefusalRow[];
  readonly facts: readonly { readonly label: string; readonly value: string }[];
}
