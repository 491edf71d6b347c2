import { createServer, type RequestListener, type Server } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { Semaphore } from "../../../src/lib/base/semaphore.ts";
import { embedTexts } from "../../../src/lib/embed/embed-texts.ts";
import { createHttpEmbedder } from "../../../src/lib/embed/http-embedder.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A real HTTP server on the loopback with the given behaviour. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return `http://127.0.0.1:${address.port}`;
}

function embedderAt(endpoint: string, timeoutMs = 5_000): ReturnType<typeof createHttpEmbedder> {
  return createHttpEmbedder({ endpoint, token: "secret", timeoutMs, fetch });
}

function base64Of(values: readonly number[]): string {
  return Buffer.from(Float32Array.from(values).buffer).toString("base64");
}

async function inputsOf(request: Parameters<RequestListener>[0]): Promise<string[]> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(Buffer.from(part));
  return z.object({ input: z.array(z.string()) }).parse(JSON.parse(Buffer.concat(parts).toString())).input;
}

const FINGERPRINT = "model@1";
const options = { lane: "bulk", fingerprint: FINGERPRINT } as const;

describe("the embedding client", () => {
  it("asks for base64 with the token and the lane, and puts vectors back in the order of the texts", async () => {
    const seen: Record<string, unknown> = {};
    const endpoint = await serve(async (request, response) => {
      Object.assign(seen, { auth: request.headers.authorization, lane: request.headers["x-embed-lane"] });
      const inputs = await inputsOf(request);
      const data = inputs.map((text, index) => ({ index, embedding: base64Of([text.length, 0]) })).toReversed();
      response.setHeader("x-embed-fingerprint", FINGERPRINT).end(JSON.stringify({ data }));
    });
    const reply = await embedderAt(endpoint).embed(["a", "bb", "ccc"], options);
    expect(reply).toEqual({ ok: true, value: [1, 2, 3].map((length) => Float32Array.from([length, 0])) });
    expect(seen).toEqual({ auth: "Bearer secret", lane: "bulk" });
  });

  it("takes the model's prefixes from /info, and none from a server that knows none", async () => {
    const teiInfo = { model_id: "intfloat/e5-small", model_sha: "abc", max_input_length: 512 };
    const plain = await serve((_, response) => response.end(JSON.stringify(teiInfo)));
    expect(await embedderAt(plain).info()).toMatchObject({ ok: true, value: { queryPrefix: "", documentPrefix: "" } });
    const prefixes = { query_prefix: "query: ", document_prefix: "passage: " };
    const ours = await serve((_, response) => response.end(JSON.stringify({ ...teiInfo, ...prefixes })));
    expect(await embedderAt(ours).info()).toMatchObject({
      ok: true,
      value: { queryPrefix: "query: ", documentPrefix: "passage: " },
    });
  });

  it("never mixes models: a reply of another fingerprint is a mismatch", async () => {
    const endpoint = await serve((_, response) => {
      response
        .setHeader("x-embed-fingerprint", "other@2")
        .end(JSON.stringify({ data: [{ index: 0, embedding: base64Of([1]) }] }));
    });
    expect(await embedderAt(endpoint).embed(["a"], options)).toEqual({
      ok: false,
      error: { code: "embedder_mismatch", fingerprint: "other@2" },
    });
  });

  it.each([
    [429, { code: "embedder_overloaded", retryAfterSeconds: 7 }],
    [422, { code: "text_refused" }],
    [413, { code: "text_refused" }],
    [500, { code: "embedder_unavailable" }],
    [424, { code: "embedder_unavailable" }],
    [503, { code: "embedder_unavailable" }],
  ])("turns status %i into its cause", async (status, error) => {
    const endpoint = await serve((_, response) => {
      response.writeHead(status, { "retry-after": "7" }).end("{}");
    });
    expect(await embedderAt(endpoint).embed(["a"], options)).toMatchObject({ ok: false, error });
  });

  it("says so when nobody listens, when the answer takes too long, and when it is not an answer", async () => {
    const endpoint = await serve(() => undefined);
    expect(await embedderAt(endpoint, 50).embed(["a"], options)).toMatchObject({
      ok: false,
      error: { code: "embedder_timeout" },
    });
    expect(await embedderAt("http://127.0.0.1:1").embed(["a"], options)).toMatchObject({
      ok: false,
      error: { code: "embedder_unavailable" },
    });
    const nonsense = await serve((_, response) => void response.end("<html>"));
    expect(await embedderAt(nonsense).embed(["a"], options)).toMatchObject({
      ok: false,
      error: { code: "embedder_unavailable" },
    });
    const notANumber = await serve((_, response) => {
      response.end(JSON.stringify({ data: [{ index: 0, embedding: base64Of([Number.NaN]) }] }));
    });
    expect(await embedderAt(notANumber).embed(["a"], options)).toMatchObject({
      ok: false,
      error: { code: "embedder_unavailable" },
    });
  });

  it.each([
    ["gives two vectors for one text and none for another", [{ index: 0 }, { index: 0 }]],
    ["gives fewer vectors than texts", [{ index: 0 }]],
    ["gives a vector for a text that was not sent", [{ index: 0 }, { index: 2 }]],
  ])("takes no vector of a reply that %s", async (_, places) => {
    const data = places.map(({ index }) => ({ index, embedding: base64Of([1]) }));
    const endpoint = await serve((request, response) => void response.end(JSON.stringify({ data })));
    expect(await embedderAt(endpoint).embed(["a", "b"], options)).toMatchObject({
      ok: false,
      error: { code: "embedder_unavailable" },
    });
  });

  it("says so when the server dies in the middle of its tokenizer", async () => {
    const endpoint = await serve((_, response) => {
      response.writeHead(200, { "content-length": "100" }).write("{", () => response.destroy());
    });
    expect(await embedderAt(endpoint).tokenizer()).toMatchObject({
      ok: false,
      error: { code: "embedder_unavailable" },
    });
  });

  it("takes no vector of another length than the model's, which the store would keep", async () => {
    const data = [{ index: 0, embedding: base64Of([1, 0]) }];
    const endpoint = await serve((_, response) => void response.end(JSON.stringify({ data })));
    const context = {
      embedder: embedderAt(endpoint),
      fingerprint: FINGERPRINT,
      dimensions: 3,
      budget: { textsMax: 8, tokensMax: 1000 },
      requests: new Semaphore(3),
    };
    expect(await embedTexts(context, [{ text: "a", tokenCount: 1 }])).toMatchObject({
      ok: false,
      error: { code: "embedder_unavailable" },
    });
  });

  it("finds the refused texts among their neighbours by halving", async () => {
    const endpoint = await serve(async (request, response) => {
      const inputs = await inputsOf(request);
      if (inputs.some((text) => text.startsWith("bad"))) return void response.writeHead(413).end("{}");
      const data = inputs.map((_, index) => ({ index, embedding: base64Of([1]) }));
      response.setHeader("x-embed-fingerprint", FINGERPRINT).end(JSON.stringify({ data }));
    });
    const texts = Array.from({ length: 20 }, (_, index) => (index === 3 || index === 17 ? "bad" : `text ${index}`));
    const context = {
      embedder: embedderAt(endpoint),
      fingerprint: FINGERPRINT,
      dimensions: 1,
      budget: { textsMax: 8, tokensMax: 1000 },
      requests: new Semaphore(3),
    };
    const vectors = await embedTexts(
      context,
      texts.map((text) => ({ text, tokenCount: 3 })),
    );
    if (!vectors.ok) throw new Error(vectors.error.code);
    expect(vectors.value.flatMap((vector, index) => (vector === null ? [index] : []))).toEqual([3, 17]);
  });
});
