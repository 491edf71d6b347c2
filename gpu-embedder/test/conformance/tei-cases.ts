import assert from "node:assert/strict";
import { z } from "zod";
import type { ConformanceCase } from "./conformance-case.ts";
import { TEI_OPERATION_CASES } from "./tei-operation-cases.ts";
import { cosine, SAME_TEXT_COSINE_MIN, tooLongText, vectorsSchema, type Reply, type Target } from "./target.ts";

async function embed(target: Target, body: object): Promise<z.infer<typeof vectorsSchema>> {
  const reply = await target.post("/embed", body);
  assert.equal(reply.status, 200, reply.text.slice(0, 200));
  return vectorsSchema.parse(reply.json);
}

function assertRefused(reply: Reply, statuses: readonly number[], types: readonly string[]): void {
  assert.ok(statuses.includes(reply.status), `status ${reply.status}`);
  const { error_type: type } = z.object({ error: z.string().min(1), error_type: z.string() }).parse(reply.json);
  assert.ok(types.includes(type), `error_type ${type}`);
}

const CLAUSE = "TEI POST /embed";

const EMBED_CASES: readonly ConformanceCase[] = [
  {
    name: "a text gives a list of one vector, texts give as many",
    level: "contract",
    clause: `${CLAUSE}: inputs`,
    async run(target) {
      const single = await embed(target, { inputs: "one text" });
      const several = await embed(target, { inputs: ["one text", "another"] });
      assert.deepEqual([single.length, several.length], [1, 2]);
      assert.ok(cosine(single[0] ?? [], several[0] ?? []) > SAME_TEXT_COSINE_MIN);
    },
  },
  {
    name: "vectors have unit length unless normalize is false, which keeps their direction",
    level: "contract",
    clause: `${CLAUSE}: normalize, default true`,
    async run(target) {
      const [unit] = await embed(target, { inputs: "one text" });
      const [raw] = await embed(target, { inputs: "one text", normalize: false });
      assert.ok(Math.abs(Math.hypot(...(unit ?? [])) - 1) < 1e-3);
      assert.ok(cosine(unit ?? [], raw ?? []) > 0.999);
    },
  },
  {
    name: "a text over the limit is refused where truncate is false",
    level: "contract",
    clause: `${CLAUSE}: truncate; 422 Validation, or 413 as its OpenAPI says`,
    async run(target) {
      const reply = await target.post("/embed", { inputs: tooLongText(target), truncate: false });
      assertRefused(reply, [413, 422], ["Validation"]);
    },
  },
  {
    name: "a text over the limit is cut where truncate is true, on the side asked for",
    level: "contract",
    clause: `${CLAUSE}: truncate, truncation_direction`,
    async run(target) {
      const inputs = `cats purr softly. ${tooLongText(target)} stock markets fell.`;
      const [right] = await embed(target, { inputs, truncate: true, truncation_direction: "right" });
      const [left] = await embed(target, { inputs, truncate: true, truncation_direction: "left" });
      assert.ok(cosine(left ?? [], right ?? []) < 0.99999, "both sides gave one vector");
    },
  },
  {
    name: "replies tell their times, characters and tokens",
    level: "contract",
    clause: `${CLAUSE}: response headers`,
    async run(target) {
      const { headers } = await target.post("/embed", { inputs: "a😀" });
      assert.ok((headers.get("x-compute-type") ?? "") !== "");
      const names = [
        "compute-time",
        "compute-tokens",
        "total-time",
        "tokenization-time",
        "queue-time",
        "inference-time",
      ];
      for (const name of names) assert.match(headers.get(`x-${name}`) ?? "", /^\d+$/u, name);
      assert.equal(headers.get("x-compute-characters"), "2");
    },
  },
  {
    name: "no input is refused as empty",
    level: "contract",
    clause: "TEI errors: Empty 400, Validation 422",
    async run(target) {
      assertRefused(await target.post("/embed", { inputs: [] }), [400, 422], ["Empty", "Validation"]);
      assertRefused(await target.post("/embed", { inputs: "" }), [400, 422], ["Empty", "Validation"]);
    },
  },
  {
    name: "one text more than the client's batch may have is refused",
    level: "contract",
    clause: "TEI max_client_batch_size: 413 in its OpenAPI, 422 in its code",
    async run(target) {
      const inputs = Array.from({ length: target.clientTextsMax + 1 }, () => "a");
      assertRefused(await target.post("/embed", { inputs }), [413, 422], ["Validation"]);
    },
  },
  {
    name: "a prompt that the model does not have is refused",
    level: "contract",
    clause: `${CLAUSE}: prompt_name; 422 Validation`,
    async run(target) {
      const reply = await target.post("/embed", { inputs: "a", prompt_name: "no prompt of this name" });
      assertRefused(reply, [422], ["Validation", "Tokenizer"]);
    },
  },
  {
    name: "what is no JSON, of a wrong type or of another media type is refused with 400, 422 and 415",
    level: "contract",
    clause: `${CLAUSE}: request body`,
    async run(target) {
      assert.equal((await target.post("/embed", "{")).status, 400);
      assert.equal((await target.post("/embed", { inputs: 7.5 })).status, 422);
      assert.equal((await target.post("/embed", { inputs: "a" }, { "content-type": "text/plain" })).status, 415);
    },
  },
];

export const TEI_CASES: readonly ConformanceCase[] = [...EMBED_CASES, ...TEI_OPERATION_CASES];
