import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { piiPolicySchema } from "../../../src/lib/contract/pii.ts";
import { type Analyzer, createAnalyzer } from "../../../src/lib/pii/analyzer-client.ts";
import { findWithAnalyzer } from "../../../src/lib/pii/find-with-analyzer.ts";

let server: Server | undefined;
let received: unknown;

type Answer = (response: ServerResponse) => void;

/** A real HTTP server that answers every request in one way, and a client of it. */
async function analyzerThat(answer: Answer, timeoutMs = 5_000): Promise<Analyzer> {
  const started = createServer((request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received = { url: request.url, body: JSON.parse(Buffer.concat(chunks).toString("utf8")) };
      answer(response);
    });
  });
  server = started;
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  const address = started.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return createAnalyzer({ endpoint: `http://127.0.0.1:${address.port}/`, timeoutMs, language: "en", fetch });
}

function replying(body: unknown, status = 200): Answer {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
}

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
});

describe("createAnalyzer", () => {
  it("asks as Presidio wants it and takes its spans, with the names of this system", async () => {
    const analyze = await analyzerThat(
      replying([
        { entity_type: "PERSON", start: 0, end: 3, score: 0.85, analysis_explanation: null },
        { entity_type: "LOCATION", start: 13, end: 18, score: 0.85 },
        { entity_type: "SOMETHING_NEW", start: 0, end: 3, score: 0.85 },
      ]),
    );
    expect(await analyze("Ada lives in Paris", 0.4)).toEqual({
      ok: true,
      value: [
        { type: "PERSON", start: 0, end: 3, score: 0.85, detector: "analyzer:PERSON" },
        { type: "GPE", start: 13, end: 18, score: 0.85, detector: "analyzer:LOCATION" },
      ],
    });
    expect(received).toEqual({
      url: "/analyze",
      body: { text: "Ada lives in Paris", language: "en", score_threshold: 0.4 },
    });
  });

  it("turns offsets in code points into UTF-16 offsets", async () => {
    const text = "🙂🙂 Ada and 🙂 Bob";
    const analyze = await analyzerThat(
      replying([
        { entity_type: "PERSON", start: 3, end: 6, score: 1 },
        { entity_type: "PERSON", start: 13, end: 16, score: 1 },
      ]),
    );
    const reply = await analyze(text, 0);
    expect(reply.ok && reply.value.map((span) => text.slice(span.start, span.end))).toEqual(["Ada", "Bob"]);
  });

  it.each([
    ["a range beyond the text", [{ entity_type: "PERSON", start: 0, end: 99, score: 1 }]],
    ["an empty range", [{ entity_type: "PERSON", start: 2, end: 2, score: 1 }]],
    ["another shape", { spans: [] }],
    ["no JSON", "<html>"],
  ])("refuses a reply with %s", async (_, body) => {
    const analyze = await analyzerThat(replying(body));
    expect(await analyze("Ada", 0)).toEqual({ ok: false, error: { code: "analyzer_reply_malformed" } });
  });

  it("gives up after its time limit, also in the middle of a body", async () => {
    const analyze = await analyzerThat((response) => response.write("["), 100);
    expect(await analyze("Ada", 0)).toEqual({ ok: false, error: { code: "analyzer_timeout" } });
  });

  it("stops reading a reply that grows beyond its limit", async () => {
    const analyze = await analyzerThat((response) => response.end(`[${" ".repeat(5 * 1024 * 1024)}]`));
    expect(await analyze("Ada", 0)).toMatchObject({ ok: false, error: { code: "analyzer_reply_too_large" } });
  });

  it("names the status of a refusal, and none where there is no server", async () => {
    const analyze = await analyzerThat(replying({ error: "Ada" }, 500));
    expect(await analyze("Ada", 0)).toEqual({ ok: false, error: { code: "analyzer_unavailable", status: 500 } });
    const nowhere = createAnalyzer({ endpoint: "http://127.0.0.1:9", timeoutMs: 1_000, language: "en", fetch });
    expect(await nowhere("Ada", 0)).toEqual({ ok: false, error: { code: "analyzer_unavailable", status: undefined } });
  });
});

describe("findWithAnalyzer", () => {
  const text = "Ada, ada@example.org";

  it("unites both, and the surer claim wins where they overlap", async () => {
    const analyze = await analyzerThat(
      replying([
        { entity_type: "PERSON", start: 0, end: 3, score: 0.85 },
        { entity_type: "PERSON", start: 5, end: 8, score: 0.6 },
      ]),
    );
    const policy = piiPolicySchema.parse({ default: "redact" });
    const found = await findWithAnalyzer(text, policy, analyze);
    expect(found.ok && found.value.spans.map((span) => `${span.type}@${span.start}`)).toEqual([
      "PERSON@0",
      "EMAIL_ADDRESS@5",
    ]);
  });

  it("fails closed unless the policy says open", async () => {
    const analyze = await analyzerThat(replying("", 503));
    const error = { code: "analyzer_unavailable", status: 503 };
    const closed = await findWithAnalyzer(text, piiPolicySchema.parse({ default: "redact" }), analyze);
    expect(closed).toEqual({ ok: false, error });
    const policy = piiPolicySchema.parse({ actions: { EMAIL_ADDRESS: "redact" }, analyzer_failure: "open" });
    const open = await findWithAnalyzer(text, policy, analyze);
    expect(open.ok && open.value.analyzerError).toEqual(error);
    expect(open.ok && open.value.spans.map((span) => span.type)).toEqual(["EMAIL_ADDRESS"]);
  });

  it("asks nobody where the policy is off", async () => {
    const nowhere = createAnalyzer({ endpoint: "http://127.0.0.1:9", timeoutMs: 1_000, language: "en", fetch });
    const found = await findWithAnalyzer(text, piiPolicySchema.parse({ enabled: false }), nowhere);
    expect(found).toEqual({ ok: true, value: { spans: [], analyzerError: undefined } });
  });
});
