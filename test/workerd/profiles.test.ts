import { describe, expect, it } from "vitest";
import { profileSchema, putProfileReplySchema } from "../../src/lib/contract/profile.ts";
import { contextOf } from "../../src/workers/context.ts";
import { runCron } from "../../src/workers/cron.ts";
import { ask, makeKey, type Reply, suiteEnv, suiteSql } from "./support/worker.ts";

const put = (key: string, user: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> =>
  ask(`/v1/profiles/${user}`, {
    method: "PUT",
    key,
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
  });
const city = (value: string): unknown => ({ facts: [{ key: "city", value }] });

describe("PUT and GET /v1/profiles/{user_id}", () => {
  it("store facts and give them back with version, time and token", async () => {
    const { key } = await makeKey("profile-a", ["ingest", "search"]);
    const reply = await put(key, "ann", {
      facts: [{ key: "city", value: "Paris", observed_at: "2025-03-01T10:00:00+01:00" }],
    });
    expect(reply.status).toBe(200);
    expect(reply.headers.get("etag")).toBe('"1"');
    expect(putProfileReplySchema.parse(reply.json)).toMatchObject({
      version: 1,
      facts: [{ key: "city", change: "set" }],
    });
    expect(reply.body.token).toMatch(/^[0-9A-Z]{26}$/);
    const got = await ask("/v1/profiles/ann", { key });
    expect(got.headers.get("etag")).toBe('"1"');
    expect(profileSchema.parse(got.json).facts).toMatchObject([
      { key: "city", value: "Paris", observed_at: "2025-03-01T09:00:00.000Z" },
    ]);
    const before = await ask("/v1/profiles/ann?as_of=2025-02-01T00:00:00Z", { key });
    expect(profileSchema.parse(before.json).facts).toEqual([]);
    expect((await ask("/v1/profiles/bob", { key })).body.code).toBe("not_found");
    const history = await ask("/v1/profiles/ann?history=1", { key });
    expect(history.json).toMatchObject({ versions: [{ key: "city", version: 1, removed: false }], next: null });
    const diff = await ask("/v1/profiles/ann?from=2025-01-01T00:00:00Z&to=2025-06-01T00:00:00Z", { key });
    expect(diff.json).toMatchObject({ added: [{ key: "city" }], changed: [], removed: [] });
  });

  it("take times at the ends of the calendar and with any offset", async () => {
    const { key } = await makeKey("profile-times", ["ingest", "search"]);
    await put(key, "ann", city("Paris"));
    for (const time of ["2042-05-29T03:43:12.39-17:39", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.99-23:59"]) {
      const at = encodeURIComponent(time);
      expect((await ask(`/v1/profiles/ann?as_of=${at}`, { key })).status, time).toBe(200);
      expect((await ask(`/v1/profiles/ann?from=${at}&to=${at}`, { key })).status, time).toBe(200);
    }
  });

  it("keep to the version that If-Match names", async () => {
    const { key } = await makeKey("profile-b", ["ingest"]);
    expect((await put(key, "ann", city("Paris"), { "if-match": '"0"' })).status).toBe(200);
    const late = await put(key, "ann", city("Rome"), { "if-match": '"0"' });
    expect([late.status, late.body.code]).toEqual([409, "conflict"]);
    expect((await put(key, "ann", city("Rome"), { "if-match": '"1"' })).headers.get("etag")).toBe('"2"');
    for (const header of ["1", "*", 'W/"1"', '"one"', '"-1"'])
      expect((await put(key, "ann", city("Rome"), { "if-match": header })).body.code).toBe("parameter_invalid");
  });

  it("let a key that is bound to a user reach that user only, and ask for their scopes", async () => {
    const { key } = await makeKey("profile-c", ["ingest", "search"], { userId: "ann" });
    expect((await put(key, "ann", city("Paris"))).status).toBe(200);
    expect((await put(key, "bob", city("Paris"))).body.code).toBe("user_forbidden");
    expect((await ask("/v1/profiles/bob", { key })).body.code).toBe("user_forbidden");
    const { key: reader } = await makeKey("profile-c", ["search"]);
    expect((await put(reader, "ann", city("Oslo"))).body.code).toBe("scope_missing");
    const { key: foreign } = await makeKey("profile-d", ["ingest", "search"]);
    expect((await ask("/v1/profiles/ann", { key: foreign })).body.code).toBe("not_found");
  });

  it.each(["a%2Fb", "%E2%80%AEann", "ann%20lee", "..%2F..%2Fbob", "%25"])(
    "take any clean user id (%s)",
    async (user) => {
      const { key } = await makeKey("profile-e", ["ingest", "search"]);
      expect((await put(key, user, city("Paris"))).status).toBe(200);
      const got = await ask(`/v1/profiles/${user}`, { key });
      expect(profileSchema.parse(got.json).user_id).toBe(decodeURIComponent(user));
    },
  );

  it.each(["*", "%00", "%0A", "%20ann", "a".repeat(201)])("refuse a user id that cannot be one (%s)", async (user) => {
    const { key } = await makeKey("profile-e", ["ingest", "search"]);
    expect((await put(key, user, city("Paris"))).body.code).toBe("parameter_invalid");
  });

  it.each([
    { facts: [{ key: "a/b", value: "x" }] },
    { facts: [{ key: "a", value: "" }] },
    { facts: [{ key: "a", value: "x".repeat(2_001) }] },
    { facts: [{ key: "a", removed: false }] },
    { facts: [{ key: "a", value: "x", surprise: 1 }] },
    { facts: Array.from({ length: 201 }, (_, n) => ({ key: `k${n}`, value: "x" })) },
    { facts: "all" },
  ])("refuse a body of another shape, whole", async (body) => {
    const { key } = await makeKey("profile-f", ["ingest", "search"]);
    expect((await put(key, "ann", body)).body.code).toBe("body_invalid");
    expect((await ask("/v1/profiles/ann", { key })).body.code).toBe("not_found");
  });

  it("take 200 facts of full length, and refuse NUL in one of them alone", async () => {
    const { key } = await makeKey("profile-g", ["ingest", "search"]);
    const value = "This is what we know. ".repeat(90).trim();
    const facts = Array.from({ length: 199 }, (_, n) => ({ key: `k${n}`, value: `${n} ${value}` }));
    const reply = await put(key, "ann", { facts: [...facts, { key: "nul", value: "a\0b" }] });
    const { refused } = putProfileReplySchema.parse(reply.json);
    expect(refused.filter((fact) => fact.key === "nul")).toMatchObject([{ reasons: [{ code: "nul_bytes" }] }]);
  });
});

describe("the temporary watcher of profiles", () => {
  it("has a run of its job listed where it is switched on, and none where it is not", async () => {
    const tickMs = Date.UTC(2031, 0, 1);
    const runs = async (): Promise<unknown> => {
      const rows = await suiteSql().query({
        // Other suites run the same jobs over the same database, at other times.
        text: "select job_name from job_runs where job_name like 'profile_%' and scheduled_at = $1::timestamptz order by 1",
        params: [new Date(tickMs).toISOString()],
      });
      return rows.ok && rows.value.map((row) => row["job_name"]);
    };
    await runCron("*/5 * * * *", tickMs, contextOf(suiteEnv()));
    expect(await runs()).toEqual(["profile_outbox"]);
    await runCron("*/5 * * * *", tickMs, contextOf(suiteEnv({ PROFILE_WATCH: "poll" })));
    expect(await runs()).toEqual(["profile_outbox", "profile_watch"]);
  });
});
