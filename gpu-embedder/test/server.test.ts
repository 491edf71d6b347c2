import { connect } from "node:net";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { SAMPLE_TEXTS } from "./test-model.ts";
import { cosine } from "./reference-encoder.ts";
import { post, testServer, type TestServer } from "./test-server.ts";

const embeddings = z.object({
  object: z.literal("list"),
  model: z.string(),
  data: z.array(
    z.object({ object: z.literal("embedding"), index: z.number(), embedding: z.array(z.number()).length(384) }),
  ),
  usage: z.object({ prompt_tokens: z.number(), total_tokens: z.number() }),
  truncated: z.array(z.number()).optional(),
});
const openAiError = z.object({
  error: z.object({ message: z.string(), type: z.string(), param: z.string().nullable(), code: z.string() }).loose(),
});

let server: TestServer;
beforeAll(async () => {
  server = await testServer({ EMBED_PRECISION: "fp32" });
});
afterAll(() => server.stop());

async function embed(input: unknown, more: object = {}): Promise<z.infer<typeof embeddings>> {
  const response = await post(`${server.url}/v1/embeddings`, { input, ...more });
  expect(response.status).toBe(200);
  return embeddings.parse(await response.json());
}

async function refusal(body: unknown): Promise<{ status: number; code: string; body: z.infer<typeof openAiError> }> {
  const response = await post(`${server.url}/v1/embeddings`, body);
  const parsed = openAiError.parse(await response.json());
  return { status: response.status, code: parsed.error.code, body: parsed };
}

describe("POST /v1/embeddings", () => {
  test("the real OpenAI client gets unit vectors in order, by its default base64 and as floats", async () => {
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "unused" });
    const byDefault = await client.embeddings.create({ model: "any", input: [...SAMPLE_TEXTS] });
    const floats = await client.embeddings.create({ model: "any", input: [...SAMPLE_TEXTS], encoding_format: "float" });
    expect(byDefault.data.map((item) => item.index)).toEqual(SAMPLE_TEXTS.map((_, index) => index));
    byDefault.data.forEach((item, index) => {
      expect(item.embedding).toHaveLength(384);
      expect(Math.hypot(...item.embedding)).toBeCloseTo(1, 5);
      expect(cosine(item.embedding, floats.data[index]?.embedding ?? [])).toBeGreaterThan(0.999999);
    });
    expect(byDefault.usage.prompt_tokens).toBeGreaterThan(SAMPLE_TEXTS.length * 3);
  });

  test("a text, a list of one, its token ids and its framed token ids have one vector", async () => {
    const text = await embed("hello world");
    for (const input of [["hello world"], [7592, 2088], [[7592, 2088]], [[101, 7592, 2088, 102]]]) {
      const other = await embed(input);
      expect(other.data).toEqual(text.data);
      expect(other.usage).toEqual({ prompt_tokens: 4, total_tokens: 4 });
    }
  });

  test("a text over the limit is refused with its index and token count, never cut in silence", async () => {
    const { status, code, body } = await refusal({
      input: ["fine", "word ".repeat(300), "also fine", "word ".repeat(254)],
    });
    expect([status, code]).toEqual([413, "input_too_long"]);
    expect(body.error).toMatchObject({ inputs: [{ index: 1, token_count: 302 }], max_input_length: 256 });
  });

  test("with truncate it is cut to the limit and the reply says which", async () => {
    const cut = await embed(["fine", "word ".repeat(300)], { truncate: true });
    expect(cut.truncated).toEqual([1]);
    expect(cut.usage.prompt_tokens).toBe(256 + 3);
    expect(cut.data[1]?.embedding).toEqual((await embed("word ".repeat(254))).data[0]?.embedding);
  });

  test.each([
    ["{", 400, "invalid_json"],
    ["", 400, "invalid_json"],
    [{}, 422, "invalid_request"],
    [[], 422, "invalid_request"],
    [{ input: null }, 422, "invalid_request"],
    [{ input: { text: "a" } }, 422, "invalid_request"],
    [{ input: ["a", 1] }, 422, "invalid_request"],
    [{ input: [1.5] }, 422, "invalid_request"],
    [{ input: [-1] }, 422, "invalid_request"],
    [{ input: "a", encoding_format: "hex" }, 422, "invalid_request"],
    [{ input: [] }, 400, "input_empty"],
    [{ input: "" }, 400, "input_empty"],
    [{ input: ["a", ""] }, 400, "input_empty"],
    [{ input: [[1], []] }, 400, "input_empty"],
    [{ input: [30_522] }, 422, "token_id_unknown"],
    [{ input: "a", dimensions: 256 }, 422, "dimensions_unsupported"],
    [{ input: Array.from({ length: 2049 }, () => "a") }, 413, "too_many_inputs"],
    [{ input: "x".repeat(1_000_001) }, 413, "text_too_large"],
    [{ input: "x".repeat(9_000_000) }, 413, "body_too_large"],
    [{ input: "word ".repeat(100_000) }, 413, "input_too_long"],
    [{ input: "x y ".repeat(100).repeat(10) }, 413, "input_too_long"],
  ])("refuses %.60j with a stable code", async (body, status, code) => {
    const outcome = await refusal(body);
    expect([outcome.status, outcome.code]).toEqual([status, code]);
    expect(JSON.stringify(outcome.body)).not.toContain("xxx");
  });

  test.each([
    ["\u0000"],
    ["a\u0000b"],
    ["\ud800"],
    ["lone \udfff tail"],
    ["\ufeff\u202e\u0007"],
    [" \n\t "],
    ["👩‍👩‍👧‍👦".repeat(20)],
    ["a".repeat(5000)],
    ["[CLS] [SEP] [PAD] [MASK]"],
  ])("embeds %j without harm", async (text) => {
    const reply = await embed(["before", text, "after"]);
    for (const { embedding } of reply.data) expect(Math.hypot(...embedding)).toBeCloseTo(1, 4);
    expect(reply.data[2]?.embedding).toHaveLength(384);
  });

  test("many clients at once get each its own vectors", async () => {
    const words = ["river", "engine", "violin", "harvest", "senate", "glacier"];
    const expected = new Map(
      await Promise.all(words.map(async (word) => [word, (await embed(word)).data[0]?.embedding ?? []] as const)),
    );
    const lists = Array.from({ length: 24 }, (_, client) =>
      Array.from({ length: 1 + (client % 7) }, (__, index) => words[(client + index) % words.length] ?? ""),
    );
    const replies = await Promise.all(lists.map((list) => embed(list)));
    replies.forEach((reply, client) => {
      reply.data.forEach((item, index) => {
        expect(cosine(item.embedding, expected.get(lists[client]?.[index] ?? "") ?? [])).toBeGreaterThan(0.99999);
      });
    });
  });
});

describe("the routes of text-embeddings-inference", () => {
  test("POST /embed gives plain lists with TEI's headers, and the raw vector where normalize is false", async () => {
    const response = await post(`${server.url}/embed`, { inputs: ["one", "two words"] });
    const vectors = z
      .array(z.array(z.number()).length(384))
      .length(2)
      .parse(await response.json());
    expect(Math.hypot(...(vectors[0] ?? []))).toBeCloseTo(1, 5);
    expect(response.headers.get("x-compute-tokens")).toBe("7");
    for (const name of ["x-compute-type", "x-total-time", "x-tokenization-time", "x-queue-time", "x-inference-time"])
      expect(response.headers.get(name)).not.toBeNull();
    const raw = z
      .array(z.array(z.number()))
      .parse(await (await post(`${server.url}/embed`, { inputs: ["one", "two words"], normalize: false })).json());
    expect(Math.hypot(...(raw[0] ?? []))).not.toBeCloseTo(1, 2);
    expect(cosine(raw[0] ?? [], vectors[0] ?? [])).toBeGreaterThan(0.99999);
  });

  test("truncation_direction left keeps the end of the text", async () => {
    const words = Array.from({ length: 300 }, (_, index) => `w${index}`).join(" ");
    const vectorOf = async (body: object): Promise<readonly number[]> => {
      const reply: unknown = await (await post(`${server.url}/embed`, body)).json();
      return z.array(z.array(z.number())).parse(reply)[0] ?? [];
    };
    const left = await vectorOf({ inputs: words, truncate: true, truncation_direction: "left" });
    const right = await vectorOf({ inputs: words, truncate: true });
    expect(cosine(left, right)).toBeLessThan(0.9999);
  });

  test("errors have TEI's shape", async () => {
    const tooLong = await post(`${server.url}/embed`, { inputs: "word ".repeat(300) });
    expect(tooLong.status).toBe(422);
    expect(await tooLong.json()).toMatchObject({ error_type: "Validation", inputs: [{ index: 0, token_count: 302 }] });
    const empty = await post(`${server.url}/embed`, { inputs: [] });
    expect([empty.status, await empty.json()]).toMatchObject([400, { error_type: "Empty" }]);
  });

  test("GET /info names the model, its limits and its fingerprint, which every reply carries", async () => {
    const response = await fetch(`${server.url}/info`);
    const info = z.record(z.string(), z.unknown()).parse(await response.json());
    expect(info).toMatchObject({
      model_id: "sentence-transformers/all-MiniLM-L6-v2",
      max_input_length: 256,
      dimensions: 384,
      precision: "fp32",
      pooling: "mean",
      auto_truncate: false,
      fingerprint: server.fingerprint,
    });
    for (const path of ["/info", "/health", "/livez", "/readyz", "/metrics", "/nowhere"]) {
      expect((await fetch(server.url + path)).headers.get("x-embed-fingerprint")).toBe(server.fingerprint);
    }
  });

  test("POST /tokenize gives the model's tokens", async () => {
    const reply: unknown = await (await post(`${server.url}/tokenize`, { inputs: "hello embeddings" })).json();
    const tokens =
      z.array(z.array(z.object({ id: z.number(), text: z.string(), special: z.boolean() }))).parse(reply)[0] ?? [];
    expect(tokens.map((token) => token.text)).toEqual(["[CLS]", "hello", "em", "##bed", "##ding", "##s", "[SEP]"]);
    expect(tokens.map((token) => token.special)).toEqual([true, false, false, false, false, false, true]);
  });

  test("GET /tokenizer.json is the pinned file with its hash as ETag", async () => {
    const response = await fetch(`${server.url}/tokenizer.json`);
    const etag = response.headers.get("etag") ?? "";
    expect(etag).toBe('"be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"');
    expect((await response.arrayBuffer()).byteLength).toBe(466_247);
    expect((await fetch(`${server.url}/tokenizer.json`, { headers: { "if-none-match": etag } })).status).toBe(304);
  });

  test("GET /metrics counts what happened, in Prometheus' text format", async () => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    expect(text).toMatch(/^te_request_success\{method="single"\} [1-9]/mu);
    expect(text).toMatch(/^te_request_failure\{err="validation"\} [1-9]/mu);
    expect(text).toMatch(/^te_request_duration_bucket\{le="\+Inf"\} [1-9]/mu);
  });
});

test("a client that cuts its connection half way costs the others nothing", async () => {
  const body = JSON.stringify({ input: Array.from({ length: 200 }, () => "some words ".repeat(60)) });
  for (const length of [10, body.length]) {
    const socket = connect(server.port, "127.0.0.1");
    await new Promise<void>((resolve) => socket.once("connect", resolve));
    socket.write(
      `POST /v1/embeddings HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n${body.slice(0, length)}`,
    );
    await fetch(`${server.url}/livez`);
    socket.destroy();
  }
  const startMs = performance.now();
  await embed("still here");
  expect(performance.now() - startMs).toBeLessThan(5_000);
});
