import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { DocumentInput } from "../../src/lib/contract/document.ts";
import { DEFAULT_POLICY } from "../../src/lib/contract/policy.ts";
import type { Principal } from "../../src/lib/contract/principal.ts";
import { searchReplySchema, type SearchReply } from "../../src/lib/contract/search.ts";
import { indexRange } from "../../src/lib/flows/indexing/index-range.ts";
import { search, type SearchContext } from "../../src/lib/flows/searching/search.ts";
import { expectOk } from "../support/database.ts";
import { openWorld, principalOf, type World } from "./support/world.ts";

let world: World;
let tenantCount = 0;
let tenant = "";
let slept: number[] = [];

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());
afterEach(() => {
  world.embedder.outage = undefined;
  world.take();
  slept = [];
});

function newTenant(): string {
  tenantCount += 1;
  tenant = `searcher-${tenantCount}`;
  return tenant;
}

/** Sleeping lets time pass and does `work`. */
function contextWith(work: () => Promise<void> = async () => {}): SearchContext {
  const { sql, bucket, embedder, models } = world.context();
  return {
    sql,
    bucket,
    embedder,
    models,
    clock: () => world.nowMs,
    sleep: async (delayMs) => {
      slept.push(delayMs);
      world.nowMs += delayMs;
      await work();
    },
  };
}

async function indexAll(): Promise<void> {
  await world.indexQueued();
}

async function ask(
  body: unknown,
  principal: Principal = principalOf(tenant),
  context = contextWith(),
): Promise<SearchReply> {
  const reply = expectOk(await search(context, principal, body));
  return searchReplySchema.parse(reply);
}

async function problemOf(body: unknown, principal: Principal = principalOf(tenant)): Promise<string> {
  const reply = await search(contextWith(), principal, body);
  return reply.ok ? "none" : reply.error.code;
}

const idsOf = (reply: SearchReply): string[] => reply.hits.map((hit) => hit.document_id);

describe("search", () => {
  it("finds what was ingested, with offsets into the source, its receipt and the parts of its score", async () => {
    const text = "The jet flows over the wing. The boundary layer is thin.";
    const walId = await world.ingest(newTenant(), [
      {
        id: "a",
        text,
        title: "Wings",
        source: "manual",
        occurred_at: "2026-01-02T03:04:05Z",
        metadata: { team: "red" },
      },
      { id: "b", text: "The token of the flow is in the layer." },
    ]);
    await indexAll();
    const reply = await ask({ query: "jet wing", explain: true });
    // The test's embedder knows nothing of meaning, so which comes first is chance.
    const hit = reply.hits.find((found) => found.document_id === "a");
    expect(hit).toMatchObject({
      document_id: "a",
      tier: "doc",
      title: "Wings",
      source: "manual",
      metadata: { team: "red" },
      occurred_at: "2026-01-02T03:04:05.000Z",
      receipt: `${walId}-0`,
    });
    expect(text.slice(hit?.start_offset, hit?.end_offset)).toBe(hit?.text);
    expect(hit?.score_parts?.lexical).toBeGreaterThan(0);
    expect(hit?.score_parts?.lexical_normalised).toBe(1);
    expect(reply).toMatchObject({ mode: "hybrid", fusion: "convex", degraded: [], caught_up: true, path: "exact" });
    expect(reply.explain).toMatchObject({ scope_chunk_count: 2, rows_examined: 2, query_terms: 2 });
  });

  it("waits for the caller's own write, and says when it did not come in time", async () => {
    const walId = await world.ingest(newTenant(), [
      { id: "a", text: "The jet flows over the wing of the boundary layer." },
    ]);
    const late = await ask({ query: "jet", min_token: walId, wait_ms: 1_000 });
    expect(late).toMatchObject({ caught_up: false, hits: [] });
    expect(slept.reduce((sum, delayMs) => sum + delayMs, 0)).toBeLessThanOrEqual(1_000);
    const caughtUp = await ask(
      { query: "jet", min_token: [walId], wait_ms: 5_000 },
      principalOf(tenant),
      contextWith(indexAll),
    );
    expect(caughtUp.caught_up).toBe(true);
    expect(idsOf(caughtUp)).toEqual(["a"]);
  });

  it("waits for every range of a large request", async () => {
    const documents = Array.from({ length: 150 }, (_, index) => ({
      id: `d${index}`,
      text: `The jet ${index} flows over the wing of the boundary layer.`,
    }));
    const walId = await world.ingest(newTenant(), documents);
    const messages = world.take();
    expect(messages.length).toBeGreaterThan(1);
    const [first, ...others] = messages;
    if (first !== undefined) expectOk(await indexRange(world.context(), first));
    expect((await ask({ query: "jet", min_token: walId, wait_ms: 0 })).caught_up).toBe(false);
    for (const message of others) expectOk(await indexRange(world.context(), message));
    expect((await ask({ query: "jet", min_token: walId, wait_ms: 0 })).caught_up).toBe(true);
  });

  it("never catches up with another tenant's token, which is as unknown as one that is still to be written", async () => {
    const walId = await world.ingest(newTenant(), [
      { id: "a", text: "The jet flows over the wing of the boundary layer." },
    ]);
    await indexAll();
    newTenant();
    expect((await ask({ query: "jet", min_token: walId, wait_ms: 0 })).caught_up).toBe(false);
    const old = `01ARZ3NDEK${walId.slice(10)}`;
    expect((await ask({ query: "jet", min_token: old, wait_ms: 5_000 })).caught_up).toBe(false);
    expect(slept).toEqual([]);
    expect(await problemOf({ query: "jet", min_token: "garbage" })).toBe("parameter_invalid");
  });

  it("searches the words alone when the embedder is down or runs another model, and says so", async () => {
    await world.ingest(newTenant(), [{ id: "a", text: "The jet flows over the wing of the boundary layer." }]);
    await indexAll();
    world.embedder.outage = { code: "embedder_unavailable" };
    const reply = await ask({ query: "wing", explain: true });
    expect(reply.degraded).toEqual(["embedder_unavailable"]);
    expect(idsOf(reply)).toEqual(["a"]);
    expect(reply.hits[0]?.score_parts?.vector).toBeNull();
    expect(await problemOf({ query: "wing", mode: "vector" })).toBe("embedder_unavailable");
    world.embedder.outage = { code: "embedder_mismatch", fingerprint: "another" };
    expect((await ask({ query: "wing" })).degraded).toEqual(["embedder_mismatch"]);
    expect(await problemOf({ query: "wing", mode: "vector" })).toBe("embedder_mismatch");
    expect((await ask({ query: "wing", mode: "lexical" })).degraded).toEqual([]);
  });

  it("shortens a query that the model cannot take whole, for the vector alone", async () => {
    await world.ingest(newTenant(), [{ id: "a", text: "The jet flows over the wing of the boundary layer." }]);
    await indexAll();
    const reply = await ask({ query: `${"the flow of the jet in the layer ".repeat(20)} wing` });
    expect(reply.degraded).toEqual(["query_shortened"]);
    expect(idsOf(reply)).toEqual(["a"]);
  });

  it("gives a user what the tenant shares and the user's own, and a bound key no one else's", async () => {
    await world.ingest(newTenant(), [
      { id: "shared", text: "The jet flows over the wing of the boundary layer." },
      { id: "of-ann", text: "The jet flows in the wing of the token layer.", user_id: "ann" },
      { id: "of-bob", text: "The jet flows of the wing in the flow layer.", user_id: "bob" },
    ]);
    await indexAll();
    expect(idsOf(await ask({ query: "jet wing" })).sort()).toEqual(["shared"]);
    expect(idsOf(await ask({ query: "jet wing", user_id: "ann" })).sort()).toEqual(["of-ann", "shared"]);
    const bound: Principal = { ...principalOf(tenant), userId: "bob" };
    expect(idsOf(await ask({ query: "jet wing" }, bound)).sort()).toEqual(["of-bob", "shared"]);
    expect(await problemOf({ query: "jet wing", user_id: "ann" }, bound)).toBe("user_forbidden");
  });

  it("answers nothing rather than a row of someone else", async () => {
    await world.ingest(newTenant(), [{ id: "a", text: "The jet flows over the wing of the boundary layer." }]);
    await indexAll();
    const context = contextWith();
    const leaking: SearchContext = {
      ...context,
      sql: {
        ...context.sql,
        transaction: async (scope, statements, options) => {
          const read = await context.sql.transaction(scope, statements, options);
          if (!read.ok) return read;
          return {
            ok: true,
            value: read.value.map((rows) =>
              rows.map((row) => ("tenant_id" in row ? { ...row, tenant_id: "someone-else" } : row)),
            ),
          };
        },
      },
    };
    const reply = await search(leaking, principalOf(tenant), { query: "jet" });
    expect(reply).toEqual({
      ok: false,
      error: { code: "internal", isolation: { place: "search", foreignCount: 1 } },
    });
  });

  it("refuses what is no search with the place of the fault", async () => {
    newTenant();
    const bodies = [
      undefined,
      [],
      {},
      { query: "  " },
      { query: 1 },
      { query: "a", k: 101 },
      { query: "a", extra: 1 },
      { query: "\ud800" },
      { query: "a", user_id: "*" },
      { query: "x".repeat(2_001) },
    ];
    for (const body of bodies) expect(await problemOf(body)).toBe("body_invalid");
    const reply = await search(contextWith(), principalOf(tenant), {
      query: "a",
      filters: { occurred_from: "yesterday" },
    });
    expect(reply.ok ? undefined : reply.error.pointer).toBe("/filters/occurred_from");
  });

  it("takes times at the ends of the calendar and with any offset", async () => {
    await world.ingest(newTenant(), [{ id: "a", text: "The jet flows over the wing of the boundary layer." }]);
    await indexAll();
    for (const time of ["2042-05-29T03:43:12.39-17:39", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.99-23:59"]) {
      for (const field of ["occurred_from", "occurred_before"])
        expect(idsOf(await ask({ query: "wing", filters: { [field]: time } })), `${field} ${time}`).toEqual([]);
    }
    expect(idsOf(await ask({ query: "wing", as_of: "2042-05-29T03:43:12.39-17:39" }))).toEqual(["a"]);
  });

  it("answers a query without any word that counts by its vector", async () => {
    await world.ingest(newTenant(), [{ id: "a", text: "The jet flows over the wing of the boundary layer." }]);
    await indexAll();
    expect(idsOf(await ask({ query: "the of and" }))).toEqual(["a"]);
    expect(idsOf(await ask({ query: "the of and", mode: "lexical" }))).toEqual([]);
  });

  /** Turns of a session as its log stores them. */
  function turns(sessionId: string, texts: readonly string[]): DocumentInput[] {
    return texts.map((text, index) => ({
      id: `${sessionId}/${index + 1}`,
      tier: "event",
      user_id: "ann",
      text,
      occurred_at: new Date(Date.UTC(2026, 0, 1 + index)).toISOString(),
      metadata: { session_id: sessionId, seq: index + 1, speaker: index % 2 === 0 ? "Ann" : "Ben" },
    }));
  }

  it("brings the turns before and after each event, of its session and user alone", async () => {
    await world.ingest(newTenant(), [
      ...turns("s", [
        "The jet flows in the layer.",
        "The wing of the boundary token is in the jet.",
        "The flow is in the layer of the token.",
        "The boundary layer flows over the jet.",
      ]),
      { id: "s/3", tier: "event", user_id: "bob", text: "The jet flows of the wing in the flow layer." },
      { id: "plain", user_id: "ann", text: "The wing flows in the layer of the jet and of the token." },
    ]);
    await indexAll();
    const reply = await ask({ query: "wing", mode: "lexical", user_id: "ann", neighbours: 2 });
    const event = reply.hits.find((hit) => hit.document_id === "s/2");
    expect(event?.neighbours).toEqual([
      {
        seq: 1,
        document_id: "s/1",
        speaker: "Ann",
        text: "The jet flows in the layer.",
        is_whole: true,
        occurred_at: "2026-01-01T00:00:00.000Z",
      },
      expect.objectContaining({ seq: 3, speaker: "Ann", text: "The flow is in the layer of the token." }),
      expect.objectContaining({ seq: 4, speaker: "Ben" }),
    ]);
    expect(reply.hits.find((hit) => hit.document_id === "plain")).not.toHaveProperty("neighbours");
    const early = await ask({
      query: "wing",
      user_id: "ann",
      tiers: ["event"],
      neighbours: 1,
      as_of: "2026-01-02T12:00:00Z",
    });
    expect(early.hits.find((hit) => hit.document_id === "s/2")?.neighbours).toMatchObject([{ seq: 1 }]);
    expect(await problemOf({ query: "wing", neighbours: 6 })).toBe("body_invalid");
  });

  it("weighs tiers as the request says, else as the tenant's policy says", async () => {
    await world.ingest(newTenant(), [
      { id: "d", text: "The jet flows over the wing of the boundary layer." },
      { id: "e", tier: "event", text: "The jet flows in the wing of the token layer." },
    ]);
    await indexAll();
    const policy = { ...DEFAULT_POLICY, retrieval: { ...DEFAULT_POLICY.retrieval, tier_weights: { doc: 0 } } };
    const principal = principalOf(tenant, policy);
    expect(idsOf(await ask({ query: "jet wing" }, principal))).toEqual(["e"]);
    const own = await ask({ query: "jet wing", tier_weights: { doc: 3, event: 1 }, explain: true }, principal);
    expect(idsOf(own)).toEqual(["d", "e"]);
    expect(own.hits[0]?.score_parts?.tier_weight).toBe(3);
    expect(idsOf(await ask({ query: "jet wing", tier_weights: { event: 0 } }))).toEqual(["d"]);
    expect(await problemOf({ query: "jet", tier_weights: { nothing: 1 } })).toBe("body_invalid");
  });

  it("shows what was known and valid at a time, and what is valid now without one", async () => {
    await world.ingest(newTenant(), [
      { id: "old", text: "The jet flows over the wing of the boundary layer.", occurred_at: "2026-01-01T00:00:00Z" },
      { id: "new", text: "The jet flows in the wing of the token layer.", occurred_at: "2026-03-01T00:00:00Z" },
    ]);
    await indexAll();
    const end =
      "update doc_embeddings set valid_until = '2026-03-01T00:00:00Z' where occurred_at = '2026-01-01T00:00:00Z'";
    await world.rows(tenant, end);
    expect(idsOf(await ask({ query: "jet wing" }))).toEqual(["new"]);
    expect(idsOf(await ask({ query: "jet wing", as_of: "2026-02-01T00:00:00Z" }))).toEqual(["old"]);
    expect(idsOf(await ask({ query: "jet wing", as_of: "2026-04-01T00:00:00Z" }))).toEqual(["new"]);
    expect(idsOf(await ask({ query: "jet wing", as_of: "2025-01-01T00:00:00Z" }))).toEqual([]);
  });

  it("shows an event or the summary that holds it, and tells with explain what a hit stands for", async () => {
    await world.ingest(newTenant(), [
      ...turns("s", ["The jet flows over the wing of the boundary layer.", "The token is in the flow of the layer."]),
      {
        id: "s/summary/1",
        tier: "summary",
        user_id: "ann",
        text: "Ann: The jet flows over the wing of the boundary layer, and the wing of the jet.",
        metadata: { session_id: "s", first_seq: 1, last_seq: 2, members: [1] },
      },
    ]);
    await indexAll();
    const reply = await ask({ query: "jet wing", user_id: "ann", explain: true });
    const ids = idsOf(reply);
    expect(ids.filter((id) => id === "s/1" || id === "s/summary/1")).toHaveLength(1);
    expect(ids).toContain("s/2");
    const kept = reply.hits.find((hit) => hit.document_id === "s/1" || hit.document_id === "s/summary/1");
    expect(kept?.collapsed).toMatchObject([{ reason: "summary" }]);
    const found = await ask({ query: "jet wing", user_id: "ann", mode: "lexical", tiers: ["event"], explain: true });
    expect(found.hits[0]?.score_parts).toMatchObject({ speaker: 0, session: 0 });
  });
});
