import type { ClientPlan, EmbedTarget } from "./embed-client.ts";

/** What a client thread is asked for: texts of a file, taken with the other threads from one counter (one int32). */
export interface ClientOrder {
  readonly target: EmbedTarget;
  /** JSON strings, one a line. */
  readonly file: string;
  readonly plan: ClientPlan;
  readonly counter: Int32Array<SharedArrayBuffer>;
}

/** `firstVector` is empty in threads that did not send the first text. */
export type ClientReply =
  | { readonly kind: "done"; readonly firstVector: Float32Array }
  | { readonly kind: "failed"; readonly detail: string };
