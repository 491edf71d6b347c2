/** The `Embedder` port with each embedding request timed. */
import type { Clock } from "../base/clock.ts";
import type { EmbedError, Embedder } from "./embedder.ts";

export interface EmbedCall {
  readonly lane: "interactive" | "bulk";
  readonly durationMs: number;
  /** undefined: it succeeded. A text that the model refuses is the text's fault and counts as an answer too. */
  readonly code: Exclude<EmbedError["code"], "text_refused"> | undefined;
}

/** Makes the port. `note` is told of each request for vectors when it has ended. */
export function createMeasuredEmbedder(embedder: Embedder, clock: Clock, note: (call: EmbedCall) => void): Embedder {
  return {
    info: () => embedder.info(),
    tokenizer: () => embedder.tokenizer(),
    async embed(texts, options) {
      const startedMs = clock();
      const reply = await embedder.embed(texts, options);
      const code = reply.ok || reply.error.code === "text_refused" ? undefined : reply.error.code;
      note({ lane: options.lane, durationMs: clock() - startedMs, code });
      return reply;
    },
  };
}
