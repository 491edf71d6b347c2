/** Faults that a test asks the endpoint to commit. None happens unless a plan is given to its constructor. */
export type Fault =
  /** Waits, then serves the request. */
  | { readonly kind: "delay"; readonly delayMs: number }
  /** Answers with this HTTP status; nothing ran. */
  | { readonly kind: "status"; readonly status: number }
  /** Cuts the connection; nothing ran. */
  | { readonly kind: "drop_before" }
  /** Runs and commits, then cuts the connection: the lost reply. */
  | { readonly kind: "drop_after_commit" };

/** Asked once per `/sql` request, with its number from 0 and its statements' texts. */
export type FaultPlan = (request: { readonly index: number; readonly texts: readonly string[] }) => Fault | undefined;
