import { encode } from "@msgpack/msgpack";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import type { EmbedMessage } from "../../src/lib/contract/queue-message.ts";
import { readWalRange } from "../../src/lib/wal/read-wal-range.ts";
import { walKey } from "../../src/lib/wal/wal-key.ts";
import { WAL_LIMITS } from "../../src/lib/wal/wal-limits.ts";
import type { Env } from "../../src/workers/env.ts";
import { ask, ingest, makeKey, suiteEnv } from "./support/worker.ts";

const TEXT = "Ask not what your country can do for you; ask what you can do for your country.";
const doc = (id: string, more: object = {}) => ({ id, text: TEXT, ...more });

let key = "";
beforeAll(async () => {
  key = (await makeKey("acme", ["ingest", "search"])).key;
});

/** Bindings whose queue writes down what it is sent, and refuses when told so; and whose bucket can fail. */
function observed(
  plan: { refuseQueue?: boolean; putFailures?: number; loseReplies?: number; hangQueue?: boolean } = {},
): { env: Env; sent: EmbedMessage[]; puts: string[] } {
  const real = suiteEnv();
  const sent: EmbedMessage[] = [];
  const puts: string[] = [];
  let { putFailures = 0, loseReplies = 0 } = plan;
  const take = async (messages: EmbedMessage[]) => {
    if (plan.refuseQueue === true) throw new Error("Too Many Requests");
    if (plan.hangQueue === true) await new Promise(() => undefined);
    sent.push(...messages);
  };
  const EMBED_QUEUE = {
    send: (body: EmbedMessage) => take([body]),
    sendBatch: (batch: { body: EmbedMessage }[]) => take(batch.map((message) => message.body)),
  };
  const BUCKET = new Proxy(real.BUCKET, {
    get: (bucket, name) => {
      if (name === "put") {
        return async (putKey: string, ...rest: [Uint8Array, object]) => {
          puts.push(putKey);
          if (putFailures-- > 0) throw new Error("put: We encountered an internal error. Please try again. (10001)");
          const done = await bucket.put(putKey, ...rest);
          if (loseReplies-- > 0) throw new Error("the connection was lost");
          return done;
        };
      }
      const value: unknown = Reflect.get(bucket, name);
      return typeof value === "function" ? value.bind(bucket) : value;
    },
  });
  return { env: suiteEnv({ EMBED_QUEUE, BUCKET }), sent, puts };
}

const storedUnder = async (prefix: string) =>
  (await suiteEnv().BUCKET.list({ prefix, include: ["customMetadata"] })).objects;

describe("an accepted request", () => {
  it("is in R2 before the reply leaves, and its pointer is in the queue", async () => {
    const { env, sent } = observed();
    const reply = await ingest(key, { documents: [doc("a"), doc("b", { text: "" })] }, {}, env);
    expect(reply.status).toBe(202);
    const { token, batch_tag: batchTag } = reply.body;
    expect(batchTag).toBe(token);
    expect(reply.json).toMatchObject({ accepted: 1, quarantined: 0, rejected: 1 });
    expect(reply.body.receipts[0]).toEqual({
      id: `${token}-0`,
      index: 0,
      document_id: "a",
      status: "accepted",
      reasons: [],
    });
    const walObjectKey = walKey("acme", token);
    expect(sent).toEqual([
      {
        version: 1,
        kind: "wal_range",
        tenant_id: "acme",
        wal_id: token,
        wal_key: walObjectKey,
        batch_tag: token,
        range_index: 0,
        range_count: 1,
        document_start: 0,
        document_count: 2,
        request_id: reply.headers.get("x-request-id"),
        trace_id: reply.headers.get("x-request-id")?.replaceAll("-", ""),
        sent_at_ms: expect.any(Number),
      },
    ]);
    expect(JSON.stringify(sent)).not.toContain("country");
    const range = await readWalRange(env.BUCKET, walObjectKey, 0, WAL_LIMITS);
    if (!range.ok) throw new Error(range.error.code);
    expect(range.value.documents.map((document) => [document.document_id, document.verdict, document.text])).toEqual([
      ["a", "accepted", TEXT],
      ["b", "rejected", null],
    ]);
    expect((await env.BUCKET.head(walObjectKey))?.customMetadata).toMatchObject({
      batch_tag: token,
      documents: "2",
      ranges: "1",
    });
  });

  it.each([
    ["JSON as an array", JSON.stringify([doc("a")]), {}],
    ["NDJSON", `${JSON.stringify(doc("a"))}\n`, { "content-type": "application/x-ndjson" }],
    ["msgpack", encode({ documents: [doc("a")] }), { "content-type": "application/msgpack" }],
    ["gzip", gzipSync(JSON.stringify([doc("a")])), { "content-encoding": "gzip" }],
    ["zstd", zstdCompressSync(JSON.stringify([doc("a")])), { "content-encoding": "zstd" }],
    [
      "zstd in two frames",
      new Uint8Array([
        ...zstdCompressSync(JSON.stringify([doc("a")]).slice(0, 20)),
        ...zstdCompressSync(JSON.stringify([doc("a")]).slice(20)),
      ]),
      { "content-encoding": "zstd" },
    ],
    ["a byte order mark", `\ufeff${JSON.stringify([doc("a")])}`, {}],
  ])("may come as %s", async (_name, body, headers) => {
    const reply = await ingest(key, body, headers, observed().env);
    expect(reply.json).toMatchObject({ accepted: 1, rejected: 0 });
  });

  it("is stored without any text of rejected documents, and still listed when all of them are", async () => {
    const { env, sent } = observed();
    const reply = await ingest(
      key,
      { documents: [doc("a", { title: "top secret title", occurred_at: "9999-01-01T00:00:00Z" })] },
      {},
      env,
    );
    expect(reply.json).toMatchObject({ accepted: 0, rejected: 1 });
    expect(sent).toHaveLength(1);
    const object = await env.BUCKET.get(walKey("acme", reply.body.token));
    const stored = await object?.text();
    expect(stored).not.toContain("country");
    expect(stored).not.toContain("top secret");
  });

  it("of 1000 documents is cut into ranges, the first one small, and each range can be read by itself", async () => {
    const { env, sent } = observed();
    const documents = Array.from({ length: 1000 }, (_, index) =>
      doc(`d${index}`, { text: `${index} ${TEXT.repeat(8)}` }),
    );
    const reply = await ingest(
      key,
      zstdCompressSync(JSON.stringify({ documents })),
      { "content-encoding": "zstd" },
      env,
    );
    expect(reply.body.accepted).toBe(1000);
    expect(sent.length).toBeGreaterThan(9);
    expect(sent[0]?.document_count).toBeLessThanOrEqual(25);
    expect(sent.reduce((sum, message) => sum + message.document_count, 0)).toBe(1000);
    const last = sent.at(-1);
    const range = await readWalRange(env.BUCKET, last?.wal_key ?? "", last?.range_index ?? 0, WAL_LIMITS);
    if (!range.ok) throw new Error(range.error.code);
    expect(range.value.documents.map((document) => document.document_index)).toEqual(
      Array.from({ length: last?.document_count ?? 0 }, (_, index) => (last?.document_start ?? 0) + index),
    );
  });

  it("of a batch that its client named leaves a marker, and takes its name from body or query", async () => {
    const { env } = observed();
    const inBody = await ingest(key, { documents: [doc("a")], batch_tag: "named-1" }, {}, env);
    const inQuery = await ask(
      "/v1/documents?batch_tag=named-1",
      {
        method: "POST",
        key,
        body: JSON.stringify([doc("b"), doc("c")]),
        headers: { "content-type": "application/json" },
      },
      env,
    );
    const markers = await storedUnder("batches/acme/named-1/");
    expect(markers.map((marker) => [marker.key.split("/").at(-1), marker.customMetadata?.["documents"]])).toEqual([
      [inBody.body.token, "1"],
      [inQuery.body.token, "2"],
    ]);
  });

  it("never reads or writes Postgres once its key is known", async () => {
    const { env } = observed();
    expect((await ingest(key, { documents: [doc("a")] }, {}, env)).status).toBe(202);
    const realFetch = globalThis.fetch;
    let fetches = 0;
    globalThis.fetch = (...args) => {
      fetches++;
      return realFetch(...args);
    };
    try {
      for (let index = 0; index < 5; index++) await ingest(key, { documents: [doc(`x${index}`)] }, {}, env);
      expect(fetches).toBe(0);
    } finally {
      globalThis.fetch = realFetch;
    }
  });
});

describe("the queue", () => {
  it("may refuse: the object is there for the sweeper, and the reply is the same 202", async () => {
    const { env, sent } = observed({ refuseQueue: true });
    const reply = await ingest(key, { documents: [doc("a")], batch_tag: "refused" }, {}, env);
    expect(reply.status).toBe(202);
    expect(sent).toEqual([]);
    expect(await env.BUCKET.head(walKey("acme", reply.body.token))).not.toBeNull();
    expect(await storedUnder("batches/acme/refused/")).toHaveLength(1);
  });
});

describe("a put", () => {
  it("that fails is tried again under the same key", async () => {
    const { env, puts, sent } = observed({ putFailures: 2 });
    const reply = await ingest(key, { documents: [doc("a")] }, {}, env);
    expect(reply.status).toBe(202);
    expect(new Set(puts)).toEqual(new Set([walKey("acme", reply.body.token)]));
    expect(puts).toHaveLength(3);
    expect(sent).toHaveLength(1);
  });

  it("whose reply was lost counts, because what lies there has the same hash", async () => {
    const { env, puts } = observed({ loseReplies: 1 });
    const reply = await ingest(key, { documents: [doc("a")] }, {}, env);
    expect(reply.status).toBe(202);
    expect(puts).toHaveLength(2);
  });

  it("that fails for good is a 503 with Retry-After, and nothing is queued", async () => {
    const { env, sent } = observed({ putFailures: 99 });
    const reply = await ingest(key, { documents: [doc("a")] }, {}, env);
    expect(reply.json).toMatchObject({ status: 503, code: "storage_unavailable" });
    expect(Number(reply.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(sent).toEqual([]);
  });
});

describe("an Idempotency-Key", () => {
  const once = (name: string, body: Readonly<Record<string, unknown>>, env: Env, by = key) =>
    ingest(by, body, { "idempotency-key": name }, env);
  const body = { documents: [doc("a"), doc("b", { text: " " })] };

  it("with the same body gets the same reply, and one WAL object", async () => {
    const { env, puts } = observed();
    const first = await once("k1", body, env);
    const second = await once("k1", body, env);
    expect(second.status).toBe(202);
    expect(second.json).toEqual(first.json);
    expect(first.headers.get("idempotency-replayed")).toBeNull();
    expect(second.headers.get("idempotency-replayed")).toBe("true");
    expect(new Set(puts.filter((putKey) => putKey.startsWith("wal/"))).size).toBe(1);
  });

  it("with another body, content type or batch is refused: 409", async () => {
    const { env } = observed();
    await once("k2", body, env);
    expect((await once("k2", { documents: [doc("z")] }, env)).json).toMatchObject({
      status: 409,
      code: "idempotency_key_reused",
    });
    expect((await once("k2", { ...body, batch_tag: "t" }, env)).body.code).toBe("idempotency_key_reused");
  });

  it("stores nothing when the request is refused, so the key can be used again", async () => {
    const { env } = observed();
    expect((await ingest(key, "{", { "idempotency-key": "k3" }, env)).status).toBe(400);
    expect((await once("k3", body, env)).status).toBe(202);
  });

  it("belongs to its tenant and to the user of the key", async () => {
    const { env } = observed();
    const other = (await makeKey("globex", ["ingest"])).key;
    const ann = (await makeKey("acme", ["ingest"], { userId: "ann" })).key;
    const tokens = [
      await once("k4", body, env),
      await once("k4", body, env, other),
      await once("k4", body, env, ann),
    ].map((reply) => reply.body.token);
    expect(new Set(tokens).size).toBe(3);
  });

  it("completes a request that crashed before its WAL object was written", async () => {
    const crashed = observed({ putFailures: 0 });
    let putCount = 0;
    const BUCKET = new Proxy(crashed.env.BUCKET, {
      get: (bucket, name) => {
        if (name === "put") {
          return (...args: Parameters<typeof bucket.put>) => {
            if (++putCount > 1) throw new Error("the isolate is gone");
            return bucket.put(...args);
          };
        }
        const value: unknown = Reflect.get(bucket, name);
        return typeof value === "function" ? value.bind(bucket) : value;
      },
    });
    expect((await once("k5", body, suiteEnv({ BUCKET, EMBED_QUEUE: crashed.env.EMBED_QUEUE }))).status).toBe(503);
    const { env, sent } = observed();
    const reply = await once("k5", body, env);
    expect(reply.status).toBe(202);
    expect(reply.headers.get("idempotency-replayed")).toBe("true");
    expect(await env.BUCKET.head(walKey("acme", reply.body.token))).not.toBeNull();
    expect(sent).toHaveLength(1);
  });

  it("completes a request that crashed before the queue had its pointer; a queue that refuses again is a 503", async () => {
    const refused = observed({ refuseQueue: true });
    const first = await once("k6", body, refused.env);
    expect(first.status).toBe(202);
    expect((await once("k6", body, refused.env)).json).toMatchObject({ status: 503, code: "storage_unavailable" });
    const { env, sent } = observed();
    expect((await once("k6", body, env)).json).toEqual(first.json);
    expect(sent.map((message) => message.wal_id)).toEqual([first.body.token]);
  });

  it("used twice at the same time gives one request", async () => {
    const { env, puts } = observed();
    const replies = await Promise.all([once("k7", body, env), once("k7", body, env), once("k7", body, env)]);
    expect(new Set(replies.map((reply) => JSON.stringify(reply.json))).size).toBe(1);
    expect(new Set(puts.filter((putKey) => putKey.startsWith("wal/"))).size).toBe(1);
  });
});

describe("a dry run", () => {
  it("tells the verdicts and writes nothing", async () => {
    const { env, sent, puts } = observed();
    const reply = await ask(
      "/v1/documents?dry_run=1",
      {
        method: "POST",
        key,
        body: JSON.stringify([doc("a"), doc("a"), doc("c", { text: "" })]),
        headers: { "content-type": "application/json", "idempotency-key": "dry" },
      },
      env,
    );
    expect(reply.status).toBe(200);
    expect(reply.json).toMatchObject({ dry_run: true, accepted: 1, rejected: 2 });
    expect({ sent, puts }).toEqual({ sent: [], puts: [] });
  });
});
