import { readFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { ApiClient } from "../../src/cli/api-client.ts";
import { utf8Bytes } from "../../src/lib/base/bytes.ts";
import { MINUTE_MS } from "../../src/lib/base/durations.ts";
import { acceptReplySchema, dryRunReplySchema } from "../../src/lib/contract/accept-reply.ts";
import { batchStatusSchema, type BatchStatus, ingestReportSchema } from "../../src/lib/contract/batch.ts";
import { receiptSchema } from "../../src/lib/contract/receipt.ts";
import { searchReplySchema } from "../../src/lib/contract/search.ts";
import { splitRanges } from "../../src/lib/wal/split-ranges.ts";
import { encodeWal } from "../../src/lib/wal/wal-codec.ts";
import { walKey } from "../../src/lib/wal/wal-key.ts";
import { startSystem, type System } from "./support/system.ts";

const MOON =
  "We choose to go to the moon in this decade, not because it is easy, but because it is hard. The rocket is built of new metal alloys.";
const OIL =
  "The price of crude oil rose again this winter, and inflation followed it into every household of the nation.";
const LONG_WAIT_MS = 120_000;

let system: System;
let tenantCount = 0;

beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system?.close());
afterEach(() => {
  system.databaseGate.open();
  system.embedderGate.open();
});

interface Tenant {
  readonly id: string;
  readonly api: ApiClient;
}

async function newTenant(): Promise<Tenant> {
  tenantCount += 1;
  const id = `e2e-${tenantCount}`;
  return { id, api: new ApiClient(system.url, await system.newKey(id)) };
}

async function ingest(
  api: ApiClient,
  documents: readonly unknown[],
  batchTag?: string,
): Promise<z.infer<typeof acceptReplySchema>> {
  const json = { documents, ...(batchTag === undefined ? {} : { batch_tag: batchTag }) };
  return api.json(acceptReplySchema, { method: "POST", path: "/v1/documents", json });
}

/** Follows a batch to its end through the public API. */
async function untilDone(api: ApiClient, batchTag: string): Promise<BatchStatus> {
  const deadlineMs = Date.now() + LONG_WAIT_MS;
  for (;;) {
    const status = await api.json(batchStatusSchema, { path: `/v1/batches/${batchTag}` });
    if (status.state.startsWith("done")) return status;
    if (Date.now() > deadlineMs) throw new Error(`the batch is ${status.state} with ${status.pending_count} pending`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function find(
  api: ApiClient,
  query: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<z.infer<typeof searchReplySchema>> {
  return api.json(searchReplySchema, { method: "POST", path: "/v1/search", json: { query, ...more } });
}

describe("a document", () => {
  it("goes from HTTP to a search hit, a proved receipt and a report, and can be deleted", async () => {
    const { api } = await newTenant();
    const accepted = await ingest(api, [
      { id: "moon", text: MOON, title: "Rice University", source: "speeches", metadata: { year: 1962 } },
      { id: "oil", text: OIL, source: "news" },
      { id: "void", text: "   " },
    ]);
    expect(accepted).toMatchObject({ accepted: 2, rejected: 1, quarantined: 0 });
    const fresh = await find(api, "a rocket to the moon", { min_token: accepted.token, wait_ms: 30_000 });
    expect(fresh.caught_up).toBe(true);
    expect(fresh.hits[0]).toMatchObject({
      document_id: "moon",
      tier: "doc",
      source: "speeches",
      metadata: { year: 1962 },
    });
    const [hit] = fresh.hits;
    expect(MOON.slice(hit?.start_offset, hit?.end_offset)).toBe(hit?.text);

    const status = await untilDone(api, accepted.batch_tag);
    expect(status).toMatchObject({ state: "done", document_count: 3, outcomes: { indexed: 2, rejected: 1 } });
    const receipt = await api.json(receiptSchema, { path: `/v1/receipts/${accepted.receipts[0]?.id}?verify=1` });
    expect(receipt).toMatchObject({ outcome: "indexed", proof: { holds: true, present: true } });

    const report = await api.json(ingestReportSchema, { path: `/v1/artifacts/report-${accepted.batch_tag}/content` });
    expect(report).toMatchObject({ document_count: 3, outcomes: { indexed: 2, rejected: 1 } });

    await api.response({ method: "DELETE", path: "/v1/documents/moon" });
    const after = await find(api, "a rocket to the moon");
    expect(after.hits.map((found) => found.document_id)).not.toContain("moon");
    const proof = await api.json(receiptSchema, { path: `/v1/receipts/${accepted.receipts[0]?.id}?verify=1` });
    expect(proof.proof).toMatchObject({ present: false, superseded: true });
  });

  it("is unchanged when it is sent again, and its new version replaces the old one", async () => {
    const { api } = await newTenant();
    await untilDone(api, (await ingest(api, [{ id: "moon", text: MOON }])).batch_tag);
    const again = await untilDone(api, (await ingest(api, [{ id: "moon", text: MOON }])).batch_tag);
    expect(again.outcomes).toMatchObject({ unchanged: 1, indexed: 0 });
    const changed = await ingest(api, [{ id: "moon", text: OIL }]);
    await untilDone(api, changed.batch_tag);
    const hits = (await find(api, "rocket to the moon")).hits;
    expect(hits.map((hit) => hit.text)).toEqual([OIL]);
  });
});

describe("a dry run", () => {
  it("gives verdicts, chunk and token counts, and writes nothing", async () => {
    const { id, api } = await newTenant();
    const reply = await api.json(dryRunReplySchema, {
      method: "POST",
      path: "/v1/documents?dry_run=1",
      json: {
        documents: [
          { id: "long", text: await readFile(new URL("../../docs/retrieval.md", import.meta.url), "utf8") },
          { id: "void", text: "" },
        ],
      },
    });
    expect(reply).toMatchObject({ accepted: 1, rejected: 1 });
    expect(reply.chunk_count).toBeGreaterThan(2);
    expect(reply.token_count).toBeGreaterThan(500);
    const bucket = await system.runtime().miniflare.getR2Bucket("BUCKET");
    expect((await bucket.list({ prefix: `wal/${id}/` })).objects).toEqual([]);
    expect((await find(api, "rocket to the moon")).hits).toEqual([]);
  });
});

describe("isolation", () => {
  it("shows one tenant nothing of another: no hit, no receipt, no batch, no artifact", async () => {
    const [owner, stranger] = [await newTenant(), await newTenant()];
    const accepted = await ingest(owner.api, [{ id: "moon", text: MOON }], "shared-name");
    await untilDone(owner.api, accepted.batch_tag);
    expect((await find(stranger.api, "rocket to the moon")).hits).toEqual([]);
    for (const path of [
      `/v1/receipts/${accepted.receipts[0]?.id}?verify=1`,
      "/v1/batches/shared-name",
      "/v1/batches/shared-name/report",
      "/v1/artifacts/report-shared-name",
      "/v1/artifacts/report-shared-name/content",
    ]) {
      await expect(stranger.api.response({ path })).rejects.toThrow(/404: not_found/);
    }
    await stranger.api.response({ method: "DELETE", path: "/v1/documents/moon" });
    expect((await find(owner.api, "rocket to the moon")).hits).toHaveLength(1);
  });

  it("shows a key that is bound to a user that user's memory and what the tenant shares", async () => {
    const { id, api } = await newTenant();
    const ann = new ApiClient(system.url, await system.newKey(id, { userId: "ann", scopes: ["ingest", "search"] }));
    const bob = new ApiClient(system.url, await system.newKey(id, { userId: "bob", scopes: ["ingest", "search"] }));
    const tags = [
      (await ingest(ann, [{ id: "note", text: `${MOON} Ann wrote this.` }])).batch_tag,
      (await ingest(bob, [{ id: "note", text: `${MOON} Bob wrote this.` }])).batch_tag,
      (await ingest(api, [{ id: "shared", text: `${MOON} Everybody may read this.` }])).batch_tag,
    ];
    for (const tag of tags) await untilDone(api, tag);
    const texts = async (client: ApiClient): Promise<string[]> =>
      (await find(client, "rocket to the moon")).hits.map((hit) => hit.text).sort();
    expect(await texts(ann)).toEqual([`${MOON} Ann wrote this.`, `${MOON} Everybody may read this.`]);
    expect(await texts(bob)).toEqual([`${MOON} Bob wrote this.`, `${MOON} Everybody may read this.`]);
    expect(await texts(api)).toEqual([`${MOON} Everybody may read this.`]);
    await expect(find(ann, "rocket", { user_id: "bob" })).rejects.toThrow(/403: user_forbidden/);
  });
});

describe("outages", () => {
  it("of the embedder delay indexing and lose nothing; search goes on by words", async () => {
    const { api } = await newTenant();
    await untilDone(api, (await ingest(api, [{ id: "moon", text: MOON }])).batch_tag);
    await system.killEmbedder();
    const accepted = await ingest(api, [{ id: "oil", text: OIL }]);
    expect(accepted.accepted).toBe(1);
    const degraded = await find(api, "rocket moon");
    expect(degraded.degraded).toContain("embedder_unavailable");
    expect(degraded.hits[0]?.document_id).toBe("moon");
    const status = await api.json(batchStatusSchema, { path: `/v1/batches/${accepted.batch_tag}` });
    expect(status).toMatchObject({ pending_count: 1 });
    await system.restartEmbedder();
    expect(await untilDone(api, accepted.batch_tag)).toMatchObject({ state: "done", outcomes: { indexed: 1 } });
  });

  it("of Postgres leave the edge accepting, and everything is indexed after", async () => {
    const { api } = await newTenant();
    await untilDone(api, (await ingest(api, [{ id: "moon", text: MOON }])).batch_tag);
    system.databaseGate.shut();
    const accepted = await ingest(api, [{ id: "oil", text: OIL }], "during-outage");
    expect(accepted.accepted).toBe(1);
    const ready = await fetch(`${system.url}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ checks: { database: { ready: false }, storage: { ready: true } } });
    system.databaseGate.open();
    expect(await untilDone(api, "during-outage")).toMatchObject({ state: "done", outcomes: { indexed: 1 } });
  });

  it("of the whole Worker lose its queue, and the sweeper finds what the queue never delivered", async () => {
    const { id, api } = await newTenant();
    await system.restartWorker();
    // An object that was accepted ten minutes ago and whose message is nowhere.
    const acceptedAtMs = Date.now() - 10 * MINUTE_MS;
    const walId = oldUlid(acceptedAtMs);
    const document = {
      document_index: 0,
      document_id: "lost",
      user_id: "",
      tier: "doc" as const,
      source: "",
      title: "",
      metadata: {},
      occurred_at_ms: null,
      text: MOON,
      verdict: "accepted" as const,
      reasons: [],
    };
    const ranges = splitRanges([utf8Bytes(MOON).length], { textBytesMax: 65_536, documentsMax: 100 });
    const head = {
      version: 1 as const,
      tenant_id: id,
      wal_id: walId,
      batch_tag: walId,
      received_at_ms: acceptedAtMs,
      request_id: "lost",
      gate_version: "1",
    };
    const encoded = encodeWal(head, [document], ranges);
    const bucket = await system.runtime().miniflare.getR2Bucket("BUCKET");
    await bucket.put(walKey(id, walId), encoded.bytes, {
      customMetadata: { batch_tag: walId, documents: "1", ranges: "1" },
    });
    expect(await system.runtime().runScheduled("*/5 * * * *", Date.now())).toBe(true);
    expect(await untilDone(api, walId)).toMatchObject({ state: "done", outcomes: { indexed: 1 } });
    expect((await find(api, "rocket to the moon")).hits[0]?.document_id).toBe("lost");
  });
});

/** A ulid of the given time. */
function oldUlid(timeMs: number): string {
  const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  let time = "";
  for (let rest = timeMs, index = 0; index < 10; index += 1, rest = Math.floor(rest / 32))
    time = alphabet.charAt(rest % 32) + time;
  return `${time}0000000000000000`;
}

describe("logs and metrics", () => {
  it("hold no text, no title, no key and no query of any of the tests above", async () => {
    const { api } = await newTenant();
    await find(api, "xyzzyquery");
    const key = await system.newKey("metrics-reader", { scopes: ["operator"] });
    const metrics = await (await new ApiClient(system.url, key).response({ path: "/metrics" })).text();
    expect(metrics).toContain("ingest_processed_total");
    for (const evidence of [system.logLines.join("\n"), metrics]) {
      expect(evidence).not.toMatch(/rocket|crude oil|Rice University|xyzzyquery/);
      expect(evidence).not.toMatch(/jvk_[0-9A-Za-z]{20}/);
    }
    expect(system.logLines.join("\n")).toContain("range_applied");
  });
});
