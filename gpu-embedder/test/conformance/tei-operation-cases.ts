import assert from "node:assert/strict";
import { z } from "zod";
import type { ConformanceCase } from "./conformance-case.ts";

const tokensSchema = z.array(
  z.array(
    z.object({
      id: z.int(),
      text: z.string(),
      special: z.boolean(),
      start: z.int().nullable(),
      stop: z.int().nullable(),
    }),
  ),
);

const COUNTERS = ["te_request_count", "te_request_success", "te_request_failure", "te_embed_count", "te_embed_success"];
const HISTOGRAMS = [
  ...["request", "embed"].flatMap((kind) =>
    ["duration", "tokenization_duration", "queue_duration", "inference_duration"].map((name) => `te_${kind}_${name}`),
  ),
  "te_request_input_length",
  "te_batch_next_size",
  "te_batch_next_tokens",
];

/** Routes of text-embeddings-inference besides `/embed`. */
export const TEI_OPERATION_CASES: readonly ConformanceCase[] = [
  {
    name: "/info names the model and its limits",
    level: "contract",
    clause: "TEI GET /info",
    async run(target) {
      z.object({
        model_id: z.string(),
        model_sha: z.string().nullable(),
        model_dtype: z.string(),
        model_type: z.looseObject({ embedding: z.looseObject({ pooling: z.string() }) }),
        max_concurrent_requests: z.int().positive(),
        max_batch_tokens: z.int().positive(),
        auto_truncate: z.boolean(),
        version: z.string(),
      }).parse((await target.get("/info")).json);
    },
  },
  {
    name: "/health answers 200",
    level: "contract",
    clause: "TEI GET /health",
    run: async (target) => assert.equal((await target.get("/health")).status, 200),
  },
  {
    name: "/metrics has every name that dashboards are built on",
    level: "contract",
    clause: "TEI GET /metrics",
    async run(target) {
      await target.post("/embed", { inputs: ["a text", "another"] });
      await target.post("/embed", { inputs: [] });
      const { text } = await target.get("/metrics");
      for (const name of COUNTERS) assert.match(text, new RegExp(`^${name}(?:\\{[^}]*\\})? \\d`, "mu"), name);
      for (const name of HISTOGRAMS) assert.match(text, new RegExp(`^${name}_(?:bucket|count|sum)`, "mu"), name);
      assert.match(text, /^te_request_success\{method="batch"\} \d/mu);
      assert.match(text, /^te_queue_size \d/mu);
    },
  },
  {
    name: "/tokenize gives id, text and special of each token, and /decode the text again",
    level: "contract",
    clause: "TEI POST /tokenize, POST /decode",
    async run(target) {
      const text = "hello world";
      const [framed] = tokensSchema.parse((await target.post("/tokenize", { inputs: text })).json);
      const bare = tokensSchema.parse(
        (await target.post("/tokenize", { inputs: [text], add_special_tokens: false })).json,
      )[0];
      assert.ok((framed?.length ?? 0) > (bare?.length ?? 0), "special tokens are added by default");
      assert.ok(bare?.every((token) => !token.special));
      const ids = framed?.map((token) => token.id);
      for (const given of [ids, [ids]]) {
        const decoded = z.array(z.string()).parse((await target.post("/decode", { ids: given })).json);
        assert.deepEqual(
          decoded.map((part) => part.trim().toLowerCase()),
          [text],
        );
      }
    },
  },
  {
    name: "a route that is not there answers 404",
    level: "contract",
    clause: "HTTP",
    run: async (target) => assert.equal((await target.get("/no-such-route")).status, 404),
  },
];
