import assert from "node:assert/strict";
import { z } from "zod";
import type { ConformanceCase } from "./conformance-case.ts";
import { tooLongText, vectorsSchema } from "./target.ts";

const tooLongSchema = z.object({ inputs: z.array(z.object({ index: z.int(), token_count: z.int().positive() })) });

/** What this server promises beyond both contracts. */
export const STRICTER_CASES: readonly ConformanceCase[] = [
  {
    name: "a text over the limit is never cut unasked, on either contract",
    level: "stricter",
    clause: "README: refused with index and token count",
    async run(target) {
      const inputs = ["fine", tooLongText(target)];
      const openAi = await target.post("/v1/embeddings", { input: inputs });
      const tei = await target.post("/embed", { inputs });
      assert.deepEqual([openAi.status, tei.status], [413, 422]);
      const refusals = [z.object({ error: tooLongSchema }).parse(openAi.json).error, tooLongSchema.parse(tei.json)];
      for (const refusal of refusals) {
        assert.deepEqual(
          refusal.inputs.map((input) => input.index),
          [1],
        );
        assert.ok((refusal.inputs[0]?.token_count ?? 0) > target.inputTokensMax);
      }
    },
  },
  {
    name: "token ids over the limit are refused as well",
    level: "stricter",
    clause: "README: refused with index and token count",
    async run(target) {
      const ids = Array.from({ length: target.inputTokensMax + 1 }, () => 5);
      assert.equal((await target.post("/v1/embeddings", { input: [ids] })).status, 413);
    },
  },
  {
    name: "with truncate the reply says which inputs were cut",
    level: "stricter",
    clause: "README: x-embed-truncated, truncated",
    async run(target) {
      const inputs = ["fine", tooLongText(target), tooLongText(target)];
      const openAi = await target.post("/v1/embeddings", { input: inputs, truncate: true });
      assert.deepEqual(z.object({ truncated: z.array(z.int()) }).parse(openAi.json).truncated, [1, 2]);
      const tei = await target.post("/embed", { inputs, truncate: true });
      assert.equal(tei.headers.get("x-embed-truncated"), "1-2");
    },
  },
  {
    name: "an empty text is refused by its index",
    level: "stricter",
    clause: "README: input_empty",
    async run(target) {
      const reply = await target.post("/v1/embeddings", { input: ["a", ""] });
      const { error } = z.object({ error: z.object({ code: z.string(), param: z.string() }) }).parse(reply.json);
      assert.deepEqual([reply.status, error], [400, { code: "input_empty", param: "input[1]" }]);
    },
  },
  {
    name: "dimensions that the model was not made for are refused",
    level: "stricter",
    clause: "README: dimensions_unsupported",
    async run(target) {
      const { status } = await target.post("/embed", { inputs: "a", dimensions: target.dimensions - 1 });
      assert.equal(status, 422);
    },
  },
  {
    name: "control characters and lone surrogates have vectors",
    level: "stricter",
    clause: "README: every text is taken",
    async run(target) {
      const inputs = `{"inputs":["a\\u0000b","\\ud800","\\u202e\\u0007"]}`;
      const vectors = vectorsSchema.parse((await target.post("/embed", inputs)).json);
      assert.equal(vectors.length, 3);
      for (const vector of vectors) assert.ok(Math.abs(Math.hypot(...vector) - 1) < 1e-3);
    },
  },
  {
    name: "every reply carries the fingerprint that /info names",
    level: "stricter",
    clause: "README: x-embed-fingerprint",
    async run(target) {
      const { fingerprint } = z.object({ fingerprint: z.string() }).parse((await target.get("/info")).json);
      assert.match(fingerprint, /^[0-9a-f]{64}$/u);
      for (const path of ["/health", "/metrics", "/no-such-route"]) {
        assert.equal((await target.get(path)).headers.get("x-embed-fingerprint"), fingerprint);
      }
      const refused = await target.post("/embed", "{");
      assert.equal(refused.headers.get("x-embed-fingerprint"), fingerprint);
    },
  },
  {
    name: "/readyz says where inference runs, the self-test's outcome and age, sessions and load",
    level: "stricter",
    clause: "README: GET /readyz",
    async run(target) {
      const state = z
        .object({
          status: z.literal("ready"),
          provider: z.string().min(1),
          device: z.string().min(1),
          fingerprint: z.string(),
          self_test: z.object({ passed: z.literal(true), age_seconds: z.int().nonnegative() }),
          sessions: z.object({ alive: z.int(), wanted: z.int().positive() }),
          queued_texts: z.int().nonnegative(),
          active_requests: z.int().nonnegative(),
        })
        .parse((await target.get("/readyz")).json);
      assert.equal(state.sessions.alive, state.sessions.wanted);
    },
  },
];
