/** How one message of a queue ended in its consumer, for the metric. */
export interface MessageEnd {
  /** repeated: it was applied before, and nothing was done. */
  readonly outcome: "applied" | "repeated" | "failed";
  readonly durationMs: number;
}
