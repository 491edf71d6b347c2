import { createScheduledController } from "cloudflare:test";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { z } from "zod";
import { PROBLEMS } from "../../src/lib/contract/problem.ts";
import { upsertArtifact, WHOLE_TENANT } from "../../src/lib/db/queries/artifacts.ts";
import { contextOf } from "../../src/workers/context.ts";
import { runCron } from "../../src/workers/cron.ts";
import { EnvError, readEnv } from "../../src/workers/env.ts";
import { ROUTES } from "../../src/workers/http/routes.ts";
import { ask, ingest, makeKey, suiteEnv, suiteSql } from "./support/worker.ts";

const METRICS = { headers: { authorization: "Bearer metrics-token-of-the-tests" } };

let key = "";
let userKey = "";
beforeAll(async () => {
  key = (await makeKey("acme", ["ingest", "search", "admin"])).key;
  userKey = (await makeKey("acme", ["ingest", "search"], { userId: "ann" })).key;
});

describe("every reply", () => {
  it("has a request id, and headers that keep it out of frames, caches and sniffing", async () => {
    const reply = await ask("/livez");
    expect(reply.json).toEqual({ live: true });
    expect(reply.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      "cache-control": "no-store",
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      "strict-transport-security": "max-age=31536000",
      "x-content-type-options": "nosniff",
    });
  });

  it("to an unknown path is 404, to a wrong method 405 with what is allowed", async () => {
    expect((await ask("/v1/nothing", { key })).json).toMatchObject({ status: 404, code: "not_found" });
    const wrong = await ask("/v1/documents", { method: "PUT", key });
    expect(wrong.json).toMatchObject({ status: 405, code: "method_not_allowed" });
    expect(wrong.headers.get("allow")).toBe("POST");
  });

  it("to a key of one user shows nothing of the whole tenant", async () => {
    for (const path of ["/v1/batches", "/v1/batches/x/report"]) {
      expect((await ask(path, { key: userKey })).json).toMatchObject({ status: 403, code: "user_forbidden" });
    }
  });

  it("names the parameter that is wrong, not its value", async () => {
    const reply = await ask("/v1/receipts?batch_tag=ok&limit=s3cret", { key });
    expect(reply.json).toMatchObject({ status: 422, code: "parameter_invalid", pointer: "/limit" });
    expect(reply.text).not.toContain("s3cret");
  });
});

describe("a log line", () => {
  it("is one JSON object with request, tenant, batch and outcome, and without text or key", async () => {
    const lines: string[] = [];
    const log = console.log;
    console.log = (line: string) => void lines.push(line);
    try {
      const bindings = suiteEnv({ LOG_LEVEL: "info" });
      await ingest(
        key,
        { documents: [{ id: "private-id", text: "a very private text" }], batch_tag: "logged" },
        {},
        bindings,
      );
    } finally {
      console.log = log;
    }
    const facts = z
      .record(z.string(), z.unknown())
      .parse(JSON.parse(lines.find((line) => line.includes('"request"')) ?? "{}"));
    expect(facts).toMatchObject({
      event: "request",
      route: "/v1/documents",
      status: 202,
      tenant_id: "acme",
      batch_tag: "logged",
      accepted: 1,
    });
    expect(facts["request_id"]).toBeTypeOf("string");
    expect(lines.join()).not.toMatch(/private|jvk_/);
  });
});

describe("/metrics", () => {
  it("counts inputs by outcome and refusals by code over all isolates, without tenants", async () => {
    const value = async (series: string) => {
      const { text } = await ask("/metrics", METRICS);
      return Number(
        text
          .split("\n")
          .find((line) => line.startsWith(`${series} `))
          ?.split(" ")[1] ?? 0,
      );
    };
    // Of a source of its own: counts of the tests before may still be on their way to the hub.
    const ofSource = (outcome: string) => `ingest_source_inputs_total{outcome="${outcome}",source="two-isolates"}`;
    const empty = 'ingest_rejected_total{code="empty_text"}';
    const emptyBefore = await value(empty);
    const documents = [
      { id: "a", text: "hello there", source: "two-isolates" },
      { id: "b", text: "hello again", source: "two-isolates" },
      { id: "c", text: "", source: "two-isolates" },
    ];
    const bindings = suiteEnv();
    await ingest(key, { documents }, {}, bindings);
    // Another isolate: its counters reach the hub when it is asked for the totals.
    await ask("/metrics", METRICS, bindings);
    expect([await value(ofSource("accepted")), await value(ofSource("rejected"))]).toEqual([2, 1]);
    expect(await value(empty)).toBeGreaterThan(emptyBefore);
    expect((await ask("/metrics", METRICS)).text).not.toContain("acme");
  });

  it("is for the metrics token or an operator's key only", async () => {
    const operator = (await makeKey("operations", ["operator"])).key;
    expect((await ask("/metrics")).status).toBe(401);
    expect((await ask("/metrics", { key: userKey })).json).toMatchObject({ status: 403, code: "scope_missing" });
    expect((await ask("/metrics", { key })).json).toMatchObject({ status: 403, code: "scope_missing" });
    expect((await ask("/metrics", { key: operator })).status).toBe(200);
  });

  it("adds a flush once, however often it arrives", async () => {
    const hub = suiteEnv().METRICS_HUB.getByName("flushes");
    expect(await hub.add("f1", [["x", 2]])).toEqual({ added: true });
    expect(await hub.add("f1", [["x", 2]])).toEqual({ added: false });
    expect(await hub.read()).toEqual([["x", 2]]);
  });
});

describe("/readyz", () => {
  it("says which part is not ready and why, with its latency", async () => {
    const reply = await ask("/readyz", {}, suiteEnv());
    expect(reply.status).toBe(503);
    expect(Number(reply.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(reply.json).toMatchObject({
      ready: false,
      checks: {
        database: { ready: true, reason: null, latency_ms: expect.any(Number) },
        storage: { ready: true, reason: null },
        queue: { ready: true, reason: null },
        embedder: { ready: false, reason: "embedder_unavailable" },
      },
    });
  });
});

describe("the description of the surface", () => {
  it("is OpenAPI 3.1 with every route, its parameters and its problems", async () => {
    const { json } = await ask("/openapi.json");
    const document = z
      .object({ openapi: z.string(), paths: z.record(z.string(), z.record(z.string(), z.unknown())) })
      .parse(json);
    expect(document.openapi).toBe("3.1.0");
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const served = ROUTES.map((route) => `${route.method} ${route.path.replaceAll(/:(\w+)/g, "{$1}")}`);
    expect(served.filter((route) => !described.includes(route)).sort()).toEqual(["GET /docs", "GET /openapi.json"]);
    expect(JSON.stringify(document.paths["/v1/documents"])).toContain("application/x-ndjson");
    for (const reference of JSON.stringify(json).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g))
      expect(reference[1]).toBe("Problem");
  });

  it("is also a page without scripts that explains every code", async () => {
    const { text, headers } = await ask("/docs");
    expect(headers.get("content-type")).toContain("text/html");
    expect(text).not.toContain("<script");
    for (const code of Object.keys(PROBLEMS)) expect(text).toContain(`id="problem-${code}"`);
  });
});

describe("the content of an artifact", () => {
  const content = new TextEncoder().encode("0123456789".repeat(10));
  const etag = `"${"ab".repeat(32)}"`;
  beforeAll(async () => {
    await suiteEnv().BUCKET.put("ingest_reports/acme/art.json", content);
    const row = {
      artifactId: "art",
      userId: WHOLE_TENANT,
      kind: "report",
      objectKey: "ingest_reports/acme/art.json",
      mediaType: "application/octet-stream",
      sizeBytes: content.length,
      sha256Hex: "ab".repeat(32),
      batchTag: null,
    } as const;
    const rows = await suiteSql().transaction({ tenantId: "acme", userId: "*" }, [upsertArtifact("acme", row)]);
    expect(rows.ok).toBe(true);
  });
  const get = (headers: Record<string, string> = {}, by = key) =>
    ask("/v1/artifacts/art/content", { key: by, headers });

  it("comes whole with its hash as ETag, or 304 to whom has it", async () => {
    const whole = await get();
    expect({ status: whole.status, etag: whole.headers.get("etag"), length: whole.text.length }).toEqual({
      status: 200,
      etag,
      length: 100,
    });
    expect((await get({ "if-none-match": `"x", ${etag}` })).status).toBe(304);
  });

  it.each([
    ["bytes=0-9", 206, "0123456789", "bytes 0-9/100"],
    ["bytes=95-", 206, "56789", "bytes 95-99/100"],
    ["bytes=-3", 206, "789", "bytes 97-99/100"],
    ["bytes=95-500", 206, "56789", "bytes 95-99/100"],
    ["bytes=100-", 416, "", "bytes */100"],
  ])("comes in part for Range: %s", async (range, status, text, contentRange) => {
    const part = await get({ range });
    expect({ status: part.status, text: part.text, range: part.headers.get("content-range") }).toEqual({
      status,
      text,
      range: contentRange,
    });
  });

  it("comes whole when If-Range names another version", async () => {
    expect((await get({ range: "bytes=0-9", "if-range": '"other"' })).status).toBe(200);
    expect((await get({ range: "bytes=0-9", "if-range": etag })).status).toBe(206);
  });

  it("of another tenant is not found", async () => {
    const other = (await makeKey("globex", ["admin"])).key;
    expect((await get({}, other)).status).toBe(404);
  });

  it("of the whole tenant is not found by a key of one user", async () => {
    expect((await get({}, userKey)).status).toBe(404);
  });
});

describe("the artifacts of a user", () => {
  const owned = (artifactId: string, userId: string) =>
    upsertArtifact("acme", {
      artifactId,
      userId,
      kind: "segment",
      objectKey: `segments/acme/${artifactId}`,
      mediaType: "application/vnd.jeeves.segment",
      sizeBytes: 7,
      sha256Hex: "cd".repeat(32),
      batchTag: null,
    });
  const listed = async (by: string) => {
    const reply = await ask("/v1/artifacts?kind=segment", { key: by });
    return artifactsSchema.parse(reply.json).artifacts.map((artifact) => artifact.artifact_id);
  };
  const artifactsSchema = z.object({ artifacts: z.array(z.object({ artifact_id: z.string() })) });

  beforeAll(async () => {
    const rows = [owned("seg-shared", ""), owned("seg-ann", "ann"), owned("seg-bob", "bob")];
    expect((await suiteSql().transaction({ tenantId: "acme", userId: "*" }, rows)).ok).toBe(true);
    await suiteEnv().BUCKET.put("segments/acme/seg-ann", "content");
  });

  it("are theirs and the shared ones; a key without a user sees all", async () => {
    expect(await listed(userKey)).toEqual(["seg-ann", "seg-shared"]);
    expect(await listed(key)).toEqual(["seg-ann", "seg-bob", "seg-shared"]);
  });

  it("are not found by another user, and read with the scope to search only", async () => {
    const get = (id: string, by: string) => ask(`/v1/artifacts/${id}/content`, { key: by });
    expect((await ask("/v1/artifacts/seg-bob", { key: userKey })).status).toBe(404);
    expect((await get("seg-bob", userKey)).status).toBe(404);
    expect((await get("seg-ann", userKey)).text).toBe("content");
    const ingestKey = (await makeKey("acme", ["ingest"], { userId: "ann" })).key;
    expect((await get("seg-ann", ingestKey)).json).toMatchObject({ status: 403, code: "scope_missing" });
  });
});

describe("a cron trigger", () => {
  it("runs its jobs and lists the run", async () => {
    const controller = createScheduledController({
      cron: "*/5 * * * *",
      scheduledTime: new Date("2026-11-23T12:00:00Z"),
    });
    await runCron(controller.cron, controller.scheduledTime, contextOf(suiteEnv()));
    const rows = await suiteSql().query({
      text: "select job_name, outcome from job_runs where run_id = $1",
      params: ["sweep-2026-11-23T12:00:00.000Z"],
    });
    expect(rows).toEqual({ ok: true, value: [{ job_name: "sweep", outcome: "done" }] });
  });
});

describe("the environment", () => {
  it("is checked by name, and an error never shows a value", () => {
    const env = { DATABASE_URL: "mysql://secret", EMBED_ENDPOINT: "not a url", LOG_LEVEL: "info" };
    expect(() => readEnv(env)).toThrow(new EnvError("missing or malformed variables: DATABASE_URL, EMBED_ENDPOINT"));
  });

  it("wants a server that writes summaries together with its model", () => {
    const { connectionString } = inject("provided");
    const env = {
      DATABASE_URL: connectionString,
      EMBED_ENDPOINT: "http://e.test",
      SUMMARY_ENDPOINT: "http://s.test/v1",
    };
    expect(() => readEnv(env)).toThrow(new EnvError("missing or malformed variables: SUMMARY_MODEL"));
    expect(readEnv({ ...env, SUMMARY_MODEL: "small" }).config.summaries).toEqual({
      endpoint: "http://s.test/v1",
      model: "small",
    });
  });

  it("without its variables makes every reply say which ones are missing", async () => {
    const error = console.error;
    console.error = () => undefined;
    try {
      const reply = await ask("/livez", {}, suiteEnv({ DATABASE_URL: undefined }));
      expect(reply.json).toMatchObject({
        status: 500,
        code: "internal",
        detail: "missing or malformed variables: DATABASE_URL",
      });
    } finally {
      console.error = error;
    }
  });

  it("keeps secrets apart from the configuration", () => {
    const { connectionString } = inject("provided");
    const { config } = readEnv({ DATABASE_URL: connectionString, EMBED_ENDPOINT: "http://e.test", EMBED_TOKEN: "tok" });
    expect(JSON.stringify(config)).not.toMatch(/tok|postgres/);
  });
});
