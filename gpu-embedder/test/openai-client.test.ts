import OpenAI, { APIError, AuthenticationError, NotFoundError, RateLimitError, UnprocessableEntityError } from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cosine } from "./reference-encoder.ts";
import { testServer, type TestServer } from "./test-server.ts";

const TOKEN = "client-token";
const LONG = "some words of a text that takes a while ".repeat(20);

let server: TestServer;
beforeAll(async () => {
  server = await testServer({ EMBED_PRECISION: "fp32", EMBED_TOKEN: TOKEN, EMBED_REQUESTS_MAX: "1" });
});
afterAll(() => server.stop());

type Attempt = { readonly status: number; readonly atMs: number };

/** The real client of OpenAI, with a note of each reply it got. */
function client(options: { apiKey?: string; maxRetries?: number; path?: string; attempts?: Attempt[] } = {}): OpenAI {
  const { apiKey = TOKEN, maxRetries = 0, path = "/v1", attempts = [] } = options;
  return new OpenAI({
    baseURL: server.url + path,
    apiKey,
    maxRetries,
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      attempts.push({ status: response.status, atMs: performance.now() });
      return response;
    },
  });
}

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
}

test("texts, token ids, lists of them, floats and base64 all arrive as numbers", async () => {
  const create = (input: string | string[] | number[] | number[][], encoding_format?: "float" | "base64") =>
    client().embeddings.create({
      model: "text-embedding-3-small",
      input,
      ...(encoding_format === undefined ? {} : { encoding_format }),
    });
  const plain = await create("hello world", "float");
  const expected = plain.data[0]?.embedding ?? [];
  expect(expected).toHaveLength(384);
  for (const input of ["hello world", ["hello world"], [7592, 2088], [[7592, 2088]]]) {
    const reply = await create(input);
    expect(cosine(reply.data[0]?.embedding ?? [], expected)).toBeGreaterThan(0.999999);
    expect(reply.usage).toEqual({ prompt_tokens: 4, total_tokens: 4 });
  }
});

test("a model that is not here is no error: the reply names the one that ran", async () => {
  const reply = await client().embeddings.create({ model: "text-embedding-ada-002", input: "a" });
  expect(reply.model).toBe("sentence-transformers/all-MiniLM-L6-v2");
  const models = await client().models.list();
  expect(models.data.map((model) => model.id)).toEqual([reply.model]);
});

test("the client's error classes, code, param and type are those it has for OpenAI", async () => {
  const create = (body: { input: string | string[]; dimensions?: number }, options = {}) =>
    errorOf(client(options).embeddings.create({ model: "m", ...body }));
  expect(await create({ input: "a" }, { apiKey: "wrong" })).toBeInstanceOf(AuthenticationError);
  expect(await create({ input: "a" }, { path: "/v2" })).toBeInstanceOf(NotFoundError);
  const dimensions = await create({ input: "a", dimensions: 256 });
  expect(dimensions).toBeInstanceOf(UnprocessableEntityError);
  expect(dimensions).toMatchObject({
    code: "dimensions_unsupported",
    param: "dimensions",
    type: "invalid_request_error",
  });
  const tooLong = await create({ input: ["fine", "word ".repeat(300)] });
  expect(tooLong).toBeInstanceOf(APIError);
  expect(tooLong).toMatchObject({
    status: 413,
    code: "input_too_long",
    error: { inputs: [{ index: 1, token_count: 302 }], max_input_length: 256 },
  });
});

test("the client waits as long as Retry-After says and comes back by itself; without retries it throws RateLimitError", async () => {
  const bulk = client().embeddings.create({ model: "m", input: Array.from({ length: 24 }, () => LONG) });
  const isRunning = async (): Promise<boolean> =>
    /"active_requests":1/u.test(await (await fetch(`${server.url}/readyz`)).text());
  while (!(await isRunning())) continue;
  const refused = await errorOf(client().embeddings.create({ model: "m", input: "a" }));
  expect(refused).toBeInstanceOf(RateLimitError);
  expect(refused).toMatchObject({ code: "overloaded", type: "rate_limit_error" });

  const attempts: Attempt[] = [];
  const patient = await client({ maxRetries: 20, attempts }).embeddings.create({ model: "m", input: "a" });
  expect(patient.data).toHaveLength(1);
  expect(attempts.map((attempt) => attempt.status)).toEqual([...attempts.slice(1).map(() => 429), 200]);
  expect(attempts.length).toBeGreaterThan(1);
  expect((attempts[1]?.atMs ?? 0) - (attempts[0]?.atMs ?? 0)).toBeGreaterThan(900);
  expect((await bulk).data).toHaveLength(24);
});

test("a client that aborts leaves nothing running", async () => {
  const leaving = new AbortController();
  const gone = errorOf(
    client().embeddings.create(
      { model: "m", input: Array.from({ length: 200 }, () => LONG) },
      { signal: leaving.signal },
    ),
  );
  const activeRequests = async (): Promise<number> => {
    const state: { active_requests: number } = JSON.parse(await (await fetch(`${server.url}/readyz`)).text());
    return state.active_requests;
  };
  while ((await activeRequests()) === 0) continue;
  leaving.abort();
  expect(await gone).toMatchObject({ name: "Error", message: "Request was aborted." });
  while ((await activeRequests()) > 0) continue;
  expect((await client().embeddings.create({ model: "m", input: "a" })).data).toHaveLength(1);
});
