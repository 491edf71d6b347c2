import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { err, ok } from "../../src/lib/base/result.ts";
import type { SealMessage } from "../../src/lib/contract/queue-message.ts";
import type { SealContext } from "../../src/lib/flows/sessions/context.ts";
import { registerSegment } from "../../src/lib/flows/sessions/register-segment.ts";
import { summaryKey } from "../../src/lib/session/session-keys.ts";
import { expectOk, statement } from "../support/database.ts";
import { CrashPoint, type CrashPlan } from "./support/crashing.ts";
import { putSegment, talkFrames } from "./support/segments.ts";
import { openWorld, type World } from "./support/world.ts";

/** Bounds the search for the last crash point: no flow awaits that often. */
const CALLS_MAX = 60;

let world: World;
let tenantCount = 0;
const heard: string[] = [];

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());

function newTenant(): string {
  tenantCount += 1;
  return `sealed-${tenantCount}`;
}

function context(crash = new CrashPoint(undefined), more: Partial<SealContext> = {}): SealContext {
  const log = crash.wrap({
    noteRegistered: async (session: { sessionId: string; tenantId: string }, firstSeq: number) => {
      heard.push(`${session.tenantId}/${session.sessionId}/${firstSeq}`);
    },
  });
  return {
    ...world.context(crash),
    condense: undefined,
    noteFallback: () => undefined,
    noteRegistered: (session, firstSeq) => log.noteRegistered(session, firstSeq),
    ...more,
  };
}

const nameOf = (tenantId: string) => ({ tenantId, userId: "ann", sessionId: "talk" });

async function threeSegments(tenantId: string): Promise<readonly [SealMessage, SealMessage, SealMessage]> {
  const put = (first: number, last: number) =>
    putSegment(world, nameOf(tenantId), talkFrames(first, last), { first, last });
  return [await put(1, 5), await put(6, 8), await put(9, 15)];
}

async function indexAll(): Promise<void> {
  await world.indexQueued();
}

/** Everything the store and R2 hold of a tenant's sessions, without the times of writing. */
async function effectOf(tenantId: string): Promise<unknown> {
  await indexAll();
  const [sessions, members, artifacts, documents] = await Promise.all([
    world.rows(
      tenantId,
      "select session_id, user_id, source, sealed_seq, event_count, segment_count, first_event_at, last_event_at from sessions",
    ),
    world.rows(tenantId, "select artifact_id, position, document_uid, user_id from artifact_members order by position"),
    world.rows(
      tenantId,
      "select artifact_id, user_id, kind, size_bytes, object_key from artifacts order by artifact_id",
    ),
    world.rows(
      tenantId,
      `select d.document_id, d.user_id, d.tier, d.title, d.metadata, d.generation, d.valid_until, e.text from documents d
         join doc_embeddings e using (tenant_id, document_uid)
         order by d.tier, (d.metadata ->> 'last_seq')::int, d.metadata ->> 'first_seq', d.series, e.chunk_index`,
    ),
  ]);
  const list = await world.bucket.list({ prefix: `summaries/${tenantId}/` });
  const sidecars = await Promise.all(list.objects.map(async ({ key }) => (await world.bucket.get(key))?.text()));
  const facts = { sessions, members: members.map(({ position }) => Number(position)), artifacts: artifacts.length };
  return { ...facts, documents, sidecars: sidecars.length };
}

describe("a segment in R2", () => {
  it("becomes an artifact of its user with its members, summaries and a description", async () => {
    const tenantId = newTenant();
    const [first, second] = await threeSegments(tenantId);
    expect(expectOk(await registerSegment(context(), first, 1))).toEqual({
      outcome: "registered",
      methods: ["extractive", "extractive"],
    });
    expectOk(await registerSegment(context(), second, 1));
    await indexAll();
    expect(await world.rows(tenantId, "select sealed_seq, event_count, segment_count, source from sessions")).toEqual([
      { sealed_seq: "8", event_count: "8", segment_count: 2, source: "session" },
    ]);
    const members = await world.rows(tenantId, "select position from artifact_members order by position");
    expect(members.map(({ position }) => Number(position))).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const documents = await world.rows(
      tenantId,
      `select d.document_id, d.tier, d.user_id, d.title, d.series, d.valid_until is null as current, e.text, d.metadata
       from documents d join doc_embeddings e using (tenant_id, document_uid) where e.chunk_index = 0 order by d.document_id`,
    );
    expect(documents.map(({ document_id: id, tier, current }) => [id, tier, current])).toEqual([
      [expect.stringMatching(/^segment-[0-9a-f]{24}$/), "artifact", true],
      [expect.stringMatching(/^segment-[0-9a-f]{24}$/), "artifact", true],
      ["talk/summary/1", "summary", true],
      ["talk/summary/6", "summary", true],
      ["talk/summary/to/5", "summary", false],
      ["talk/summary/to/8", "summary", true],
    ]);
    expect(new Set(documents.map(({ user_id: userId }) => userId))).toEqual(new Set(["ann"]));
    const summary = documents.find(({ document_id: id }) => id === "talk/summary/1");
    expect(summary?.["text"]).toMatch(/^(Caroline|Melanie) \(8 May 2023\): /);
    expect(summary?.["title"]).toBe("Caroline and Melanie, 8 May 2023");
    const metadata = Object(summary?.["metadata"]);
    expect(metadata).toMatchObject({ session_id: "talk", first_seq: 1, last_seq: 5, method: "extractive" });
    expect(metadata.members.every((seq: number) => seq >= 1 && seq <= 5)).toBe(true);
    expect(documents[0]?.["text"]).toContain("Conversation between ");
  });

  it("makes nothing searchable where it holds nothing, and is registered all the same", async () => {
    const tenantId = newTenant();
    const message = await putSegment(world, nameOf(tenantId), [], { first: 1, last: 3 });
    expectOk(await registerSegment(context(), message, 1));
    const next = await putSegment(world, nameOf(tenantId), talkFrames(4, 5), { first: 4, last: 5 });
    expectOk(await registerSegment(context(), next, 1));
    await indexAll();
    expect(await world.rows(tenantId, "select sealed_seq, event_count, segment_count from sessions")).toEqual([
      { sealed_seq: "5", event_count: "2", segment_count: 2 },
    ]);
    expect(await world.rows(tenantId, "select document_id from documents where tier = 'summary'")).toHaveLength(2);
  });

  it("that is not what its message says, or is damaged, changes nothing", async () => {
    const tenantId = newTenant();
    const [message] = await threeSegments(tenantId);
    const codeOf = async (changed: Partial<SealMessage>) => {
      const result = await registerSegment(context(), { ...message, ...changed }, 1);
      return result.ok ? "ok" : result.error.code;
    };
    expect(await codeOf({ user_id: "bob" })).toBe("segment_mismatch");
    expect(await codeOf({ event_count: 4 })).toBe("segment_mismatch");
    expect(await codeOf({ sha256: "0".repeat(64) })).toBe("segment_mismatch");
    expect(await codeOf({ object_key: "segments/none" })).toBe("segment_missing");
    const bytes = new Uint8Array(
      (await (await world.bucket.get(message.object_key))?.arrayBuffer()) ?? new ArrayBuffer(0),
    );
    await world.bucket.put("segments/cut", bytes.subarray(0, bytes.length - 20));
    expect(await codeOf({ object_key: "segments/cut" })).toBe("segment_incomplete");
    const flipped = bytes.slice();
    flipped[200] = (flipped[200] ?? 0) ^ 1;
    await world.bucket.put("segments/flipped", flipped);
    expect(await codeOf({ object_key: "segments/flipped" })).toBe("segment_record_corrupt");
    expect(await effectOf(tenantId)).toMatchObject({ sessions: [], members: [], artifacts: 0, documents: [] });
  });

  it("of an erased session leaves nothing, also where the erasure comes in between", async () => {
    const tenantId = newTenant();
    const [first, second] = await threeSegments(tenantId);
    const erase = () =>
      world.database.ownerSql.query(
        statement("update sessions set erased_at = now() where tenant_id = $1 and session_id = 'talk'", tenantId),
      );
    const embedder = {
      embed: async (...input: Parameters<typeof world.embedder.embed>) => {
        await erase();
        return world.embedder.embed(...input);
      },
      info: () => world.embedder.info(),
      tokenizer: () => world.embedder.tokenizer(),
    };
    const during = await registerSegment(context(undefined, { embedder }), first, 1);
    expect(expectOk(during).outcome).toBe("erased");
    expect(expectOk(await registerSegment(context(), second, 1)).outcome).toBe("erased");
    expect((await world.bucket.list({ prefix: `summaries/${tenantId}/` })).objects).toEqual([]);
    expect(await world.rows(tenantId, "select 1 from documents")).toEqual([]);
    expect(await world.rows(tenantId, "select 1 from artifact_members where position > 5")).toEqual([]);
  });

  it("waits for the summary of the segment before it, and goes on without one that never comes", async () => {
    const tenantId = newTenant();
    const [first, second, third] = await threeSegments(tenantId);
    const early = await registerSegment(context(), second, 1);
    expect(early.ok ? "ok" : early.error.code).toBe("segment_before_missing");
    // It is registered even so: only its summary waits.
    expect(await world.rows(tenantId, "select segment_count from sessions")).toEqual([{ segment_count: 1 }]);
    expectOk(await registerSegment(context(), first, 1));
    expectOk(await registerSegment(context(), second, 2));
    await world.bucket.delete(summaryKey(nameOf(tenantId), 6));
    expectOk(await registerSegment(context(), third, 6));
    await indexAll();
    const rows = await world.rows(tenantId, "select metadata from documents where document_id = 'talk/summary/to/15'");
    expect(rows[0]?.["metadata"]).toMatchObject({ first_seq: 9, last_seq: 15, segments: 1 });
  });
});

describe("a summary by an endpoint", () => {
  it("stands in the place of the extractive one, with the same members, and is asked for once", async () => {
    const tenantId = newTenant();
    const [first] = await threeSegments(tenantId);
    const asked: string[] = [];
    const condense: SealContext["condense"] = async (conversation) => {
      asked.push(conversation);
      return ok(`She joined: answer ${asked.length}.`);
    };
    const report = expectOk(await registerSegment(context(undefined, { condense }), first, 1));
    expect(report.methods).toEqual(["endpoint", "endpoint"]);
    expectOk(await registerSegment(context(undefined, { condense }), first, 2));
    await indexAll();
    expect(asked).toHaveLength(1);
    const [row] = await world.rows(
      tenantId,
      "select d.metadata, e.text from documents d join doc_embeddings e using (tenant_id, document_uid) where document_id = 'talk/summary/1'",
    );
    expect(row?.["text"]).toBe("She joined: answer 1.");
    expect(row?.["metadata"]).toMatchObject({ method: "endpoint" });
  });

  it("that fails leaves the extractive one and says so", async () => {
    const tenantId = newTenant();
    const [first] = await threeSegments(tenantId);
    const codes: string[] = [];
    const failing = context(undefined, {
      condense: async () => err({ code: "chat_timeout" }),
      noteFallback: (code) => codes.push(code),
    });
    expect(expectOk(await registerSegment(failing, first, 1)).methods).toEqual(["extractive", "extractive"]);
    expect(codes).toEqual(["chat_timeout"]);
  });
});

describe("a crash at any await of registering", () => {
  /** Runs two segments, each crashing once at the planned call, then again until both are through. */
  async function effectAfterCrash(plan: CrashPlan): Promise<{ effect: unknown; finished: boolean; tenantId: string }> {
    const tenantId = newTenant();
    let finished = true;
    for (const message of (await threeSegments(tenantId)).slice(0, 2)) {
      const crash = new CrashPoint(plan);
      await registerSegment(context(crash), message, 1).catch((error: unknown) => {
        if (!crash.hasCrashed) throw error;
      });
      finished &&= !crash.hasCrashed;
      expectOk(await registerSegment(context(), message, 2));
      // Delivered twice, as queues do.
      expect(expectOk(await registerSegment(context(), message, 1)).outcome).toBe("repeated");
      expect(heard).toContain(`${tenantId}/talk/${message.first_seq}`);
    }
    const effect = JSON.parse(JSON.stringify(await effectOf(tenantId)).replaceAll(tenantId, "tenant"));
    return { effect, finished, tenantId };
  }

  it("ends in the one effect that registering without a crash has", async () => {
    const calm = await effectAfterCrash({ callIndex: CALLS_MAX, moment: "before" });
    for (let callIndex = 0; callIndex < CALLS_MAX; callIndex += 1) {
      const before = await effectAfterCrash({ callIndex, moment: "before" });
      const after = await effectAfterCrash({ callIndex, moment: "after" });
      expect(masked(before.effect), `before call ${callIndex}`).toEqual(masked(calm.effect));
      expect(masked(after.effect), `after call ${callIndex}`).toEqual(masked(calm.effect));
      if (before.finished && after.finished) {
        expect(callIndex).toBeGreaterThanOrEqual(6);
        return;
      }
    }
    throw new Error(`no flow should await more than ${CALLS_MAX} calls`);
  }, 120_000);

  /** Without what is made of the tenant's name: hashes of segments. */
  function masked(effect: unknown): unknown {
    return JSON.parse(JSON.stringify(effect).replaceAll(/segment-[0-9a-f]{24}/g, "segment-…"));
  }
});
