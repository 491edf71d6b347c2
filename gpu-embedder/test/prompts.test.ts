import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { cosine } from "./reference-encoder.ts";
import { post, testServer, type TestServer } from "./test-server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await testServer({ EMBED_PRECISION: "fp32", EMBED_QUERY_PREFIX: "query: " });
});
afterAll(() => server.stop());

const openAi = z.object({ data: z.array(z.object({ embedding: z.array(z.number()) })), usage: z.unknown() });

test("prompt_name puts the model's own prompt before each text, on both contracts, and counts its tokens", async () => {
  const tei = async (body: object): Promise<readonly number[]> => {
    const reply: unknown = await (await post(`${server.url}/embed`, body)).json();
    return z.array(z.array(z.number())).parse(reply)[0] ?? [];
  };
  const spelledOut = await tei({ inputs: "query: where is the river" });
  expect(cosine(await tei({ inputs: "where is the river", prompt_name: "query" }), spelledOut)).toBeGreaterThan(
    0.999999,
  );
  expect(cosine(await tei({ inputs: "where is the river" }), spelledOut)).toBeLessThan(0.999);
  const send = async (body: object): Promise<z.infer<typeof openAi>> =>
    openAi.parse(await (await post(`${server.url}/v1/embeddings`, body)).json());
  const named = await send({ input: "where is the river", prompt_name: "query" });
  expect(named).toEqual(await send({ input: "query: where is the river" }));
});

test("a prompt goes before texts only: token ids and unknown names are refused, and /info names what there is", async () => {
  for (const body of [
    { inputs: [7592], prompt_name: "query" },
    { inputs: "a", prompt_name: "poem" },
  ]) {
    const response = await post(`${server.url}/embed`, body);
    expect([response.status, await response.json()]).toMatchObject([422, { code: "prompt_unknown" }]);
  }
  const info: unknown = await (await fetch(`${server.url}/info`)).json();
  expect(info).toMatchObject({ prompts: ["query"], query_prefix: "query: " });
});
