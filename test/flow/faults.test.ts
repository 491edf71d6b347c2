import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MINUTE_MS } from "../../src/lib/base/durations.ts";
import type { DocumentInput } from "../../src/lib/contract/document.ts";
import type { EmbedMessage } from "../../src/lib/contract/queue-message.ts";
import { indexRange } from "../../src/lib/flows/indexing/index-range.ts";
import { sweep, SWEEP_BOUNDS } from "../../src/lib/flows/sweep/sweep.ts";
import { expectOk } from "../support/database.ts";
import { CrashPoint, type CrashPlan } from "./support/crashing.ts";
import { expectConsistent, survive, tryEveryCall } from "./support/crash-campaign.ts";
import { openWorld, type World } from "./support/world.ts";

/** Seeds of the random part; the campaign takes many. Every crash point is tried once in any case. */
const SEED_COUNT = Number(process.env["SEEDS"] ?? 12);
let world: World;
let tenantCount = 0;

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());

function newTenant(): string {
  tenantCount += 1;
  return `faulty-${tenantCount}`;
}

/** Small generator (Lehmer), so that a failing seed can be run again. */
function randomOf(seed: number): () => number {
  let state = (seed * 7919 + 17) % 2_147_483_647;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

function documentsOf(version: number): DocumentInput[] {
  const filler = "The wing of the jet is the token of the flow in the boundary layer.";
  return [
    { id: "long", text: Array.from({ length: 12 }, (_, line) => `${filler} Line ${line} of ${version}.`).join("\n\n") },
    { id: "short", text: `The short layer of the jet, version ${version}.`, title: "The token" },
    { id: "empty", text: "" },
  ];
}

/** Delivers messages until none is left, as the queue would after each crash; then the sweeper looks for what was lost. */
async function settle(messages: readonly EmbedMessage[], options: { readonly isQueueLost: boolean }): Promise<void> {
  for (const message of [...messages, ...world.take()])
    if (!options.isQueueLost) expectOk(await indexRange(world.context(), message));
  world.nowMs += 3 * MINUTE_MS;
  const bounds = { ...SWEEP_BOUNDS, isSpent: () => false, isDryRun: false };
  const sweptAtMs = world.nowMs - 2.5 * MINUTE_MS;
  await sweep(world.context(), { sweptAtMs, ...bounds }, { completeUpTo: {}, stoppedAt: null });
  await world.indexQueued();
}

async function storedVersion(tenantId: string): Promise<string> {
  const rows = await world.rows(
    tenantId,
    `select e.text from doc_embeddings e join documents d using (tenant_id, document_uid) where d.document_id = 'short'`,
  );
  expect(rows).toHaveLength(1);
  return String(rows[0]?.["text"]);
}

/** Crashes an ingest at the planned call, then lets the client send it again with its Idempotency-Key. */
async function crashIngest(plan: CrashPlan): Promise<boolean> {
  const tenantId = newTenant();
  const crash = new CrashPoint(plan);
  const finished = await survive(crash, () => world.ingest(tenantId, documentsOf(1), { crash, key: "one" }));
  const sent = world.take();
  const walId = await world.ingest(tenantId, documentsOf(1), { key: "one" });
  const inputCount = documentsOf(1).length;
  await settle([...sent, ...world.take()], { isQueueLost: plan.callIndex % 2 === 1 });
  await expectConsistent(world, tenantId, [{ walId, inputCount }]);
  const [requests] = await world.rows(tenantId, "select count(distinct wal_id) as n from wal_ledger");
  expect(Number(requests?.["n"])).toBe(1);
  return finished;
}

/** Crashes the application of a range at the planned call, then delivers the message again. */
async function crashIndexing(plan: CrashPlan): Promise<boolean> {
  const tenantId = newTenant();
  const firstId = await world.ingest(tenantId, documentsOf(1));
  await settle(world.take(), { isQueueLost: false });
  const walId = await world.ingest(tenantId, documentsOf(2));
  const messages = world.take();
  let finished = true;
  for (const message of messages) {
    const crash = new CrashPoint(plan);
    finished = (await survive(crash, () => indexRange(world.context(crash), message))) && finished;
    // Whatever the crash left, a reader sees one whole version.
    expect(await storedVersion(tenantId)).toMatch(/version [12]\./);
  }
  await settle(messages, { isQueueLost: plan.callIndex % 2 === 1 });
  expect(await storedVersion(tenantId)).toContain("version 2.");
  await expectConsistent(world, tenantId, [
    { walId: firstId, inputCount: 3 },
    { walId, inputCount: 3 },
  ]);
  return finished;
}

describe("a crash at any await", () => {
  it("of an ingest loses nothing and accepts nothing twice", async () => {
    expect(await tryEveryCall(crashIngest)).toBeGreaterThanOrEqual(3);
  });

  it("of the application of a range loses nothing and applies nothing twice", async () => {
    expect(await tryEveryCall(crashIndexing)).toBeGreaterThanOrEqual(5);
  });
});

describe("crashes, repeats, reorderings and a lost queue together", () => {
  it.each(Array.from({ length: SEED_COUNT }, (_, seed) => seed))(
    "leave one consistent state (seed %i)",
    async (seed) => {
      const random = randomOf(seed);
      const tenantId = newTenant();
      const accepted: { walId: string; inputCount: number }[] = [];
      let messages: EmbedMessage[] = [];
      for (let version = 1; version <= 4; version += 1) {
        const crash = new CrashPoint({
          callIndex: Math.floor(random() * 8),
          moment: random() < 0.5 ? "before" : "after",
        });
        await survive(crash, () => world.ingest(tenantId, documentsOf(version), { crash, key: `v${version}` }));
        accepted.push({
          walId: await world.ingest(tenantId, documentsOf(version), { key: `v${version}` }),
          inputCount: 3,
        });
        messages.push(...world.take().filter(() => random() < 0.7));
      }
      messages = messages.flatMap((message) => (random() < 0.4 ? [message, message] : [message]));
      messages.sort(() => random() - 0.5);
      for (const message of messages) {
        const crash = new CrashPoint({
          callIndex: Math.floor(random() * 9),
          moment: random() < 0.5 ? "before" : "after",
        });
        await survive(crash, () => indexRange(world.context(crash), message));
      }
      await settle(
        messages.filter(() => random() < 0.5),
        { isQueueLost: false },
      );
      await expectConsistent(world, tenantId, accepted);
      expect(await storedVersion(tenantId)).toContain("version 4.");
    },
  );
});
