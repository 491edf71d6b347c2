import { beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { documentUid, versionKey } from "../../src/lib/base/document-uid.ts";
import { ulidFactory } from "../../src/lib/base/ids.ts";
import type { WalDocument } from "../../src/lib/contract/wal-record.ts";
import { insertQuarantine } from "../../src/lib/db/queries/quarantine.ts";
import { holdBack, quarantineKey, readHeld } from "../../src/lib/flows/quarantine/quarantine-object.ts";
import type { WalHead } from "../../src/lib/wal/wal-codec.ts";
import { eraseSessionReplySchema } from "../../src/lib/contract/session-erasure.ts";
import { upsertTombstone } from "../../src/lib/db/queries/erase-document.ts";
import {
  segmentKey,
  segmentPrefix,
  sessionMarkerKey,
  summaryKey,
  summaryPrefix,
} from "../../src/lib/session/session-keys.ts";
import { ask, makeKey, suiteEnv, suiteSql, type Reply } from "./support/worker.ts";

const { BUCKET } = suiteEnv();
const sql = suiteSql();
const SESSION = { tenantId: "acme", userId: "ann", sessionId: "talk/1%" };

/** The log of one session, as far as an erasure sees it. */
class Log {
  lastSeq: number;
  isOpen = true;
  failsAfterErasing = false;
  constructor(lastSeq: number) {
    this.lastSeq = lastSeq;
  }
  readonly binding = {
    getByName: () => ({
      open: async () => ({ ok: true, nextSeq: this.lastSeq + 1, openedAtMs: 0 }),
      describe: async () => (this.isOpen ? { seqs: { durable: this.lastSeq } } : null),
      erase: async () => {
        const { lastSeq } = this;
        this.isOpen = false;
        this.lastSeq = 0;
        if (this.failsAfterErasing) throw new Error("the object was moved");
        return { lastSeq };
      },
      eraseEvent: async () => ({ erased: true }),
    }),
  };
}

async function open(key: string, log: Log, sessionId = SESSION.sessionId): Promise<void> {
  const body = JSON.stringify({ session_id: sessionId, user_id: "ann" });
  const headers = { "content-type": "application/json" };
  const init = { method: "POST", key, headers, body };
  expect((await ask("/v1/sessions", init, suiteEnv({ SESSION_LOG: log.binding }))).status).toBe(201);
}

function erase(key: string, log: Log, query = "?user_id=ann"): Promise<Reply> {
  const path = `/v1/sessions/${encodeURIComponent(SESSION.sessionId)}${query}`;
  return ask(path, { method: "DELETE", key }, suiteEnv({ SESSION_LOG: log.binding }));
}

function heldDocument(document_id: string, document_index: number): WalDocument {
  return {
    document_index,
    document_id,
    user_id: "ann",
    tier: "event",
    source: "session",
    title: "",
    metadata: {},
    occurred_at_ms: null,
    text: "secret",
    verdict: "quarantined",
    reasons: [],
  };
}

const countSchema = z.object({ n: z.coerce.number() });

async function count(text: string, params: readonly unknown[]): Promise<number> {
  const rows = await sql.transaction({ tenantId: "acme", userId: "*" }, [{ text, params }]);
  if (!rows.ok) throw new Error(rows.error.code);
  return countSchema.parse(rows.value[0]?.[0]).n;
}

const deletedEvents = () =>
  count("select count(*) as n from documents where tenant_id = $1 and document_id like $2 and deleted_at is not null", [
    "acme",
    "talk/1\\%/%",
  ]);

beforeEach(async () => {
  const wiped = await sql.transaction({ tenantId: "acme", userId: "*" }, [
    { text: "delete from documents where tenant_id = $1", params: ["acme"] },
  ]);
  expect(wiped.ok).toBe(true);
});

describe("erasing a session", () => {
  it("leaves tombstones for its events and for what was made of its segments, and no object", async () => {
    const { key } = await makeKey("acme", ["ingest"]);
    const log = new Log(1_203);
    await open(key, log);
    const segment = { firstSeq: 1, createdAtMs: 0, eventCount: 1_000, sha256: "ab".repeat(32) };
    await BUCKET.put(segmentKey(SESSION, segment), "segment");
    await BUCKET.put(
      summaryKey(SESSION, 1),
      JSON.stringify({ artifact_id: "segment-ab", first_seq: 1, last_seq: 1_000 }),
    );
    const other = { ...SESSION, sessionId: "talk/1%2" };
    await BUCKET.put(segmentKey(other, segment), "of another");
    const reply = await erase(key, log);
    expect(eraseSessionReplySchema.parse(reply.json)).toEqual({
      session_id: "talk/1%",
      user_id: "ann",
      done: true,
      event_count: 1_203,
      document_count: 0,
      deleted_chunk_count: 0,
      segment_count: 1,
      held_text_count: 0,
    });
    expect(await deletedEvents()).toBe(1_203 + 2);
    for (const prefix of [segmentPrefix(SESSION), summaryPrefix(SESSION), sessionMarkerKey(SESSION)])
      expect((await BUCKET.list({ prefix })).objects).toEqual([]);
    expect(await BUCKET.head(segmentKey(other, segment))).not.toBeNull();
    expect((await erase(key, log)).body.code).toBe("session_unknown");
  });

  it("removes the texts of its quarantined events, and of no others in the same object", async () => {
    const { key } = await makeKey("acme", ["ingest"]);
    const log = new Log(2);
    await open(key, log);
    const walId = ulidFactory(Date.now, Math.random)();
    const head: WalHead = {
      version: 1,
      tenant_id: "acme",
      wal_id: walId,
      batch_tag: walId,
      received_at_ms: 0,
      request_id: "r",
      gate_version: "g",
      pii_version: "p",
      policy_version: 0,
    };
    const names = ["talk/1%/1", "talk/1%2/1", "talk/1%/x"];
    const documents = names.map((document_id, document_index) => heldDocument(document_id, document_index));
    expect((await holdBack(BUCKET, { head, documents, replayed: false })).ok).toBe(true);
    const objectKey = quarantineKey("acme", walId);
    const rows = names.map((documentId, documentIndex) => ({
      quarantineId: `${walId}-${documentIndex}`,
      userId: "ann",
      documentId,
      documentIndex,
      tier: "event",
      source: "session",
      reasons: [],
      versionKey: versionKey(walId, documentIndex),
      objectKey,
      objectRange: documentIndex,
      sizeBytes: 6,
    }));
    expect((await sql.transaction({ tenantId: "acme", userId: "*" }, [insertQuarantine("acme", walId, rows)])).ok).toBe(
      true,
    );
    expect((await erase(key, log)).json).toMatchObject({ done: true, held_text_count: 1 });
    const texts = names.map(async (_, documentIndex) => {
      const held = await readHeld(BUCKET, { objectKey, rangeIndex: documentIndex, documentIndex });
      return held.ok ? held.value?.document.text : held.error.code;
    });
    expect(await Promise.all(texts)).toEqual([undefined, "secret", "secret"]);
  });

  it("is completed by asking again, from where it was interrupted", async () => {
    const { key } = await makeKey("acme", ["ingest"]);
    const log = new Log(30);
    await open(key, log);
    log.failsAfterErasing = true;
    expect((await erase(key, log)).body.code).toBe("sessions_unavailable");
    log.failsAfterErasing = false;
    expect((await erase(key, log)).json).toMatchObject({ done: true });
    // The log could not say any more where it ended: at most the frames of one request too many are covered.
    expect(await deletedEvents()).toBe(1_030);
  });

  it("says that more is left than one request erases, and goes on", async () => {
    const { key } = await makeKey("acme", ["ingest"]);
    const log = new Log(20_001);
    await open(key, log);
    expect((await erase(key, log)).json).toMatchObject({ done: false, event_count: 20_000 });
    expect((await erase(key, log)).json).toMatchObject({ done: true, event_count: 1 });
    expect(await deletedEvents()).toBe(20_001);
  });

  it("keeps the marker of a session that was opened again meanwhile", async () => {
    const { key } = await makeKey("acme", ["ingest"]);
    const log = new Log(3);
    await open(key, log);
    const binding = log.binding.getByName();
    const reopening = {
      getByName: () => ({
        ...binding,
        erase: async () => {
          const erased = await binding.erase();
          log.isOpen = true;
          return erased;
        },
      }),
    };
    const path = `/v1/sessions/${encodeURIComponent(SESSION.sessionId)}?user_id=ann`;
    const reply = await ask(path, { method: "DELETE", key }, suiteEnv({ SESSION_LOG: reopening }));
    expect(reply.json).toMatchObject({ done: true, event_count: 3 });
    const marker = await BUCKET.get(sessionMarkerKey(SESSION));
    expect(await marker?.json()).not.toHaveProperty("erasing");
  });

  it("reaches the sessions of the own tenant and user only", async () => {
    const { key } = await makeKey("acme", ["ingest"]);
    const { key: bob } = await makeKey("acme", ["ingest"], { userId: "bob" });
    const { key: foreign } = await makeKey("globex", ["ingest"]);
    const log = new Log(2);
    await open(key, log);
    expect((await erase(bob, log)).body.code).toBe("user_forbidden");
    expect((await erase(bob, log, "")).body.code).toBe("session_unknown");
    expect((await erase(foreign, log)).body.code).toBe("session_unknown");
    expect((await erase(key, log, "")).body.code).toBe("session_unknown");
    expect(log.isOpen).toBe(true);
    expect((await erase(key, log)).json).toMatchObject({ done: true, event_count: 2 });
  });
});

describe("deleting the document of an event", () => {
  it("takes it out of its session's log, and only where there is such a session", async () => {
    const { key } = await makeKey("acme", ["ingest"], { userId: "ann" });
    const log = new Log(7);
    await open(key, log);
    const remove = (id: string, tier: string) =>
      ask(
        `/v1/documents/${encodeURIComponent(id)}?tier=${tier}`,
        { method: "DELETE", key },
        suiteEnv({ SESSION_LOG: log.binding }),
      );
    expect((await remove("talk/1%/7", "event")).json).toEqual({ existed: true, deleted_chunk_count: 0 });
    expect((await remove("talk/1%/7", "doc")).json).toMatchObject({ existed: false });
    expect((await remove("nowhere/7", "event")).json).toMatchObject({ existed: false });
    expect((await remove("talk/1%/x", "event")).json).toMatchObject({ existed: false });
  });
});

describe("a tombstone", () => {
  it("of a later version stays when a session is erased with an earlier one", async () => {
    const uid = documentUid({ tenantId: "acme", userId: "ann", tier: "event", documentId: "talk/1%/1" });
    const later = { tenantId: "acme", userId: "ann", documentUid: uid, documentId: "talk/1%/1", tier: "event" };
    const written = await sql.transaction({ tenantId: "acme", userId: "ann" }, [
      upsertTombstone({ ...later, versionKey: versionKey("7ZZZZZZZZZZZZZZZZZZZZZZZZZ", 0), batchTag: "later" }),
    ]);
    expect(written.ok).toBe(true);
    const { key } = await makeKey("acme", ["ingest"]);
    const log = new Log(1);
    await open(key, log);
    expect((await erase(key, log)).json).toMatchObject({ done: true, document_count: 0 });
    expect(
      await count("select count(*) as n from documents where tenant_id = $1 and batch_tag = 'later'", ["acme"]),
    ).toBe(1);
  });
});
