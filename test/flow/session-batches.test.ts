import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { piiPolicySchema } from "../../src/lib/contract/pii.ts";
import type { WalDocument } from "../../src/lib/contract/wal-record.ts";
import { accept } from "../../src/lib/flows/ingest/accept.ts";
import { awaitWrites } from "../../src/lib/flows/searching/await-writes.ts";
import { redactStored } from "../../src/lib/flows/reentry/reenter-stored.ts";
import { storeRequest } from "../../src/lib/flows/ingest/store-request.ts";
import { sessionBatchTag } from "../../src/lib/session/batch-tag.ts";
import { walKey } from "../../src/lib/wal/wal-key.ts";
import { consumeEmbedBatch, type EmbedConsumerContext } from "../../src/queues/embed-consumer.ts";
import { expectOk } from "../support/database.ts";
import { batchOf, deliver } from "./support/deliveries.ts";
import { UNCOUNTED, UNTRACED } from "./support/uncounted.ts";
import { openWorld, principalOf, type World } from "./support/world.ts";

const QUIET = { info: () => undefined, warn: () => undefined, error: () => undefined };

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());

function consumerContext(): EmbedConsumerContext {
  const metrics = UNCOUNTED;
  return { ...world.context(), log: QUIET, random: () => 0.5, inTrace: UNTRACED, metrics };
}

const event = (seq: number, more: Partial<WalDocument> = {}): WalDocument => ({
  document_index: 0,
  document_id: `s/${seq}`,
  user_id: "ann",
  tier: "event",
  source: "session",
  title: "",
  metadata: { session_id: "s", seq, role: "user" },
  occurred_at_ms: world.nowMs,
  text: "The jet flows over the wing.",
  verdict: "accepted",
  reasons: [],
  ...more,
});

/** Stores one micro-batch, as the log of a session does. */
async function storeBatch(tenantId: string, walId: string, document: WalDocument) {
  const head = {
    version: 1 as const,
    tenant_id: tenantId,
    wal_id: walId,
    batch_tag: sessionBatchTag({ tenantId, userId: "ann", sessionId: "s" }),
    received_at_ms: world.nowMs,
    request_id: "r",
    gate_version: "g",
    origin: "session" as const,
  };
  expectOk(await storeRequest(world.context(), { head, documents: [document], textBytes: [28], replayed: true }));
  return head.batch_tag;
}

async function keysUnder(prefix: string): Promise<readonly string[]> {
  return (await world.bucket.list({ prefix })).objects.map(({ key }) => key);
}

describe("a micro-batch of a session", () => {
  it("is indexed like a request, with neither marker nor report", async () => {
    const tag = await storeBatch("stream-a", world.context().newUlid(), event(1));
    const deliveries = world.take().map((message) => deliver(message));
    await consumeEmbedBatch(batchOf(deliveries), consumerContext());
    expect(deliveries.map(({ decision }) => decision)).toEqual(["ack"]);
    expect(await keysUnder("batches/stream-a/")).toEqual([]);
    expect(await keysUnder("ingest_reports/stream-a/")).toEqual([]);
    const rows = await world.rows(
      "stream-a",
      "select document_id, batch_tag from documents where tenant_id = 'stream-a'",
    );
    expect(rows).toEqual([{ document_id: "s/1", batch_tag: tag }]);
  });

  it("has a tag that no client can use", async () => {
    const answer = await accept(world.context(), {
      principal: principalOf("stream-b"),
      requestId: "r",
      body: new TextEncoder().encode(JSON.stringify([{ id: "a", text: "The jet flows over the wing." }])),
      headers: { contentType: "application/json", contentEncoding: "" },
      batchTag: sessionBatchTag({ tenantId: "stream-b", userId: "ann", sessionId: "s" }),
      idempotencyKey: null,
    });
    expect(answer).toMatchObject({ ok: false, error: { code: "parameter_invalid", pointer: "/batch_tag" } });
  });

  it("may be written after a search has begun to wait for its token", async () => {
    const walId = world.context().newUlid();
    let pauses = 0;
    const context = {
      ...world.context(),
      sleep: async (delayMs: number) => {
        world.nowMs += delayMs;
        pauses += 1;
        if (pauses === 2) await storeBatch("stream-c", walId, event(1));
        if (pauses === 4)
          await consumeEmbedBatch(batchOf(world.take().map((message) => deliver(message))), consumerContext());
      },
    };
    const waited = await awaitWrites(context, { tenantId: "stream-c", tokens: [walId], waitMs: 10_000 });
    expect(expectOk(waited).caughtUp).toBe(true);
    expect(pauses).toBe(4);
  });

  it("has its context redacted by newer rules, like its text", async () => {
    const walId = world.context().newUlid();
    await storeBatch("stream-d", walId, event(2, { context: "user: Write to ann.parrot@yellowbirds.org, please." }));
    world.take();
    const version = { walKey: walKey("stream-d", walId), documentIndex: 0, versionKey: `${walId}-00000` };
    const again = await redactStored(world.context(), version, {
      policy: piiPolicySchema.parse({ actions: { EMAIL_ADDRESS: "redact" } }),
      key: undefined,
    });
    const { document, isChanged } = expectOk(again);
    expect(isChanged).toBe(true);
    expect(document.context).not.toContain("ann.parrot@yellowbirds.org");
    expect(document.text).toBe("The jet flows over the wing.");
  });
});
