import assert from "node:assert/strict";
import { z } from "zod";
import type { ConformanceCase } from "./conformance-case.ts";
import { cosine, SAME_TEXT_COSINE_MIN, type Reply, type Target } from "./target.ts";

const replySchema = z.object({
  object: z.literal("list"),
  model: z.string().min(1),
  data: z.array(
    z.object({
      object: z.literal("embedding"),
      index: z.int(),
      embedding: z.union([z.array(z.number()).min(1), z.string().min(1)]),
    }),
  ),
  usage: z.object({ prompt_tokens: z.int().positive(), total_tokens: z.int().positive() }),
});

function floatsOf(embedding: string | readonly number[]): readonly number[] {
  if (typeof embedding !== "string") return embedding;
  const bytes = Buffer.from(embedding, "base64");
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4));
}

async function embed(target: Target, body: object): Promise<z.infer<typeof replySchema>> {
  const reply = await target.post("/v1/embeddings", { model: "any", ...body });
  assert.equal(reply.status, 200, reply.text.slice(0, 200));
  return replySchema.parse(reply.json);
}

async function vectors(target: Target, body: object): Promise<readonly (readonly number[])[]> {
  const { data } = await embed(target, body);
  assert.deepEqual(
    data.map((item) => item.index),
    data.map((_, index) => index),
    "items come in the order of the inputs",
  );
  return data.map((item) => floatsOf(item.embedding));
}

function assertSame(a: readonly number[] | undefined, b: readonly number[] | undefined, minimum: number): void {
  const similarity = cosine(a ?? [], b ?? []);
  assert.ok(similarity >= minimum, `cosine ${similarity}, at least ${minimum} was expected`);
}

/** OpenAI nests message and type in `error`; text-embeddings-inference's own route has them at the top. */
function assertError(reply: Reply): void {
  assert.ok([400, 413, 422].includes(reply.status), `status ${reply.status}`);
  const fields = z.object({ message: z.string().min(1), type: z.string().min(1) });
  assert.ok(z.union([z.object({ error: fields }), fields]).safeParse(reply.json).success, reply.text.slice(0, 200));
}

async function idsOf(target: Target, text: string): Promise<readonly number[]> {
  const reply = await target.post("/tokenize", { inputs: text, add_special_tokens: false });
  const tokens = z.array(z.array(z.object({ id: z.int() }))).parse(reply.json)[0] ?? [];
  return tokens.map((token) => token.id);
}

const CLAUSE = "OpenAI POST /v1/embeddings";
const TEXTS = ["a river in the north", "how an engine works", "a violin concerto"];

export const OPENAI_CASES: readonly ConformanceCase[] = [
  {
    name: "one text gives one embedding of the model's dimensions",
    level: "contract",
    clause: `${CLAUSE}: input is a string`,
    async run(target) {
      const [vector, ...more] = await vectors(target, { input: TEXTS[0] });
      assert.deepEqual([vector?.length, more.length], [target.dimensions, 0]);
    },
  },
  {
    name: "several texts give their embeddings in order",
    level: "contract",
    clause: `${CLAUSE}: input is an array of strings`,
    async run(target) {
      const together = await vectors(target, { input: TEXTS });
      for (const [index, text] of TEXTS.entries()) {
        assertSame(together[index], (await vectors(target, { input: [text] }))[0], SAME_TEXT_COSINE_MIN);
      }
    },
  },
  {
    name: "token ids stand for their text",
    level: "contract",
    clause: `${CLAUSE}: input is an array of integers, or of arrays of integers`,
    async run(target) {
      const text = TEXTS[0] ?? "";
      const ids = await idsOf(target, text);
      const expected = (await vectors(target, { input: text }))[0];
      for (const input of [ids, [ids]]) {
        const got = await vectors(target, { input });
        assert.equal(got.length, 1);
        assertSame(got[0], expected, SAME_TEXT_COSINE_MIN);
      }
    },
  },
  {
    name: "base64 is little-endian float32 of the same numbers",
    level: "contract",
    clause: `${CLAUSE}: encoding_format; the npm and Python clients ask for base64 unasked`,
    async run(target) {
      const encoded = await embed(target, { input: TEXTS[0], encoding_format: "base64" });
      assert.equal(typeof encoded.data[0]?.embedding, "string");
      const plain = await vectors(target, { input: TEXTS[0], encoding_format: "float" });
      assertSame(floatsOf(encoded.data[0]?.embedding ?? ""), plain[0], 0.9999);
    },
  },
  {
    name: "without encoding_format the embedding is a list of numbers",
    level: "contract",
    clause: `${CLAUSE}: encoding_format defaults to float`,
    async run(target) {
      const { data } = await embed(target, { input: TEXTS[0] });
      assert.ok(Array.isArray(data[0]?.embedding));
    },
  },
  {
    name: "usage counts the tokens that the tokenizer counts",
    level: "contract",
    clause: `${CLAUSE}: usage.prompt_tokens`,
    async run(target) {
      const reply = await target.post("/tokenize", { inputs: TEXTS });
      const tokens = z.array(z.array(z.unknown())).parse(reply.json).flat().length;
      const { usage } = await embed(target, { input: TEXTS });
      assert.deepEqual(usage, { prompt_tokens: tokens, total_tokens: tokens });
    },
  },
  {
    name: "user and fields of the future do no harm",
    level: "contract",
    clause: `${CLAUSE}: user; unknown fields are ignored`,
    run: async (target) => void (await embed(target, { input: "a", user: "u1", field_of_next_year: { deep: [1] } })),
  },
  {
    name: "a request without input, with an empty one or of a wrong type is refused in the contract's shape",
    level: "contract",
    clause: `${CLAUSE}: errors have message and type`,
    async run(target) {
      for (const body of [{ input: [] }, { input: [""] }]) assertError(await target.post("/v1/embeddings", body));
      for (const body of [{}, { input: { text: "a" } }, { input: "a", encoding_format: "hex" }]) {
        const { status } = await target.post("/v1/embeddings", body);
        assert.ok([400, 422].includes(status), `status ${status}`);
      }
    },
  },
  {
    name: "more dimensions than the model has are refused",
    level: "contract",
    clause: `${CLAUSE}: dimensions`,
    async run(target) {
      assertError(await target.post("/v1/embeddings", { input: "a", dimensions: target.dimensions + 1 }));
    },
  },
];
