import type { TextSet } from "../support/text-sets.ts";

/** One way to run a side: the batch size and whatever else its user may choose. */
export interface Setting {
  readonly label: string;
  /** Embeds every text of the set once. */
  run(set: TextSet): Promise<SideRun>;
}

export interface SideRun {
  readonly seconds: number;
  /** Vector of the set's first text, to see that all sides compute the same. */
  readonly firstVector: Float32Array;
}

/** Something that embeds texts, loaded and waiting. */
export interface Side {
  /** With the version. */
  readonly name: string;
  /** Its processes, whose processor time is counted. */
  readonly pids: readonly number[];
  /** What is tried before the measurement; the fastest one is measured. */
  readonly settings: readonly Setting[];
  /** Tried as well and printed, but not what the library does by itself. */
  readonly otherSettings: readonly Setting[];
  stop(): Promise<void>;
}
