import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Principal } from "../../src/lib/contract/principal.ts";
import { indexRange } from "../../src/lib/flows/indexing/index-range.ts";
import { inspectQuarantined } from "../../src/lib/flows/quarantine/inspect-quarantined.ts";
import { listQuarantine } from "../../src/lib/flows/quarantine/list-quarantine.ts";
import { purgeQuarantined } from "../../src/lib/flows/quarantine/purge-quarantined.ts";
import { quarantineKey } from "../../src/lib/flows/quarantine/quarantine-object.ts";
import { releaseQuarantined } from "../../src/lib/flows/quarantine/release-quarantined.ts";
import { QUARANTINE_RETENTION_JOB } from "../../src/lib/flows/quarantine/retention-job.ts";
import { readReceipt } from "../../src/lib/flows/batches/read-receipts.ts";
import { walKey } from "../../src/lib/wal/wal-key.ts";
import { expectOk } from "../support/database.ts";
import { CrashPoint } from "./support/crashing.ts";
import { runTicked } from "./support/run-ticked.ts";
import { openWorld, principalOf, type World } from "./support/world.ts";

/** Held back by the gate: a hundred words, one of them a hundred times. */
const JUNK = `jet.person@example.org wing ${"token ".repeat(100)}`;
const GOOD = "The jet flows over the wing in the boundary layer.";
/** Bounds the search for the last crash point. */
const CALLS_MAX = 30;

let world: World;
let tenantCount = 0;
let tenant = "";

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());

function newTenant(): string {
  tenantCount += 1;
  tenant = `held-${tenantCount}`;
  return tenant;
}

async function indexAll(): Promise<void> {
  await world.indexQueued();
}

/** Ingests a good, a held and another held input, indexes what is left, and returns the id of the second one. */
async function hold(): Promise<{ walId: string; quarantineId: string }> {
  newTenant();
  expectOk(
    await world.database.ownerSql.query({
      text: "insert into tenants (tenant_id) values ($1) on conflict do nothing",
      params: [tenant],
    }),
  );
  const walId = await world.ingest(tenant, [
    { id: "good", text: GOOD },
    { id: "junk", text: JUNK, title: "Ask jet.person@example.org", source: "mail" },
    { id: "more", text: `${JUNK} more` },
  ]);
  await indexAll();
  return { walId, quarantineId: `${walId}-1` };
}

const inspect = async (quarantineId: string, principal: Principal = principalOf(tenant)) =>
  inspectQuarantined(world.context(), principal, quarantineId);
const release = (quarantineId: string, crash?: CrashPoint) =>
  releaseQuarantined(world.context(crash), principalOf(tenant), { quarantineId, note: "looks fine" });
const purge = (quarantineId: string, crash?: CrashPoint) =>
  purgeQuarantined(world.context(crash), principalOf(tenant), { quarantineId, note: "" });

async function objectText(key: string): Promise<string> {
  return (await (await world.bucket.get(key))?.text()) ?? "";
}

async function survive(crash: CrashPoint, step: () => Promise<unknown>): Promise<boolean> {
  try {
    await step();
  } catch (error) {
    if (!crash.hasCrashed) throw error;
  }
  return !crash.hasCrashed;
}

async function tryEveryCall(crashAt: (crash: CrashPoint) => Promise<boolean>): Promise<number> {
  for (let callIndex = 0; callIndex < CALLS_MAX; callIndex += 1) {
    const before = await crashAt(new CrashPoint({ callIndex, moment: "before" }));
    const after = await crashAt(new CrashPoint({ callIndex, moment: "after" }));
    if (before && after) return callIndex;
  }
  throw new Error(`no flow should await more than ${CALLS_MAX} calls`);
}

describe("a quarantined input", () => {
  it("lies in the quarantine object and nowhere else: not in the WAL, a message or a row", async () => {
    newTenant();
    const walId = await world.ingest(tenant, [
      { id: "good", text: GOOD },
      { id: "junk", text: JUNK },
    ]);
    expect(JSON.stringify(world.queued)).not.toContain("token token");
    expect(await objectText(walKey(tenant, walId))).not.toContain("token token");
    expect(await objectText(quarantineKey(tenant, walId))).toContain("token token");
    await indexAll();
    const [row] = await world.rows(tenant, "select row_to_json(q)::text as json from quarantine q");
    expect(row?.["json"]).not.toContain("token token");
    expect(row?.["json"]).toContain('"state":"held"');
  });

  it("can be inspected with personal data masked, by its tenant and not by another one or another user", async () => {
    const { quarantineId } = await hold();
    const seen = expectOk(await inspect(quarantineId));
    expect(seen).toMatchObject({ document_id: "junk", source: "mail", state: "held", is_whole: true });
    expect(seen.preview).toContain("[EMAIL_ADDRESS_1] wing token");
    expect(seen.title_preview).toBe("Ask [EMAIL_ADDRESS_1]");
    expect(seen.pii_counts).toEqual({ EMAIL_ADDRESS: 1 });
    expect(JSON.stringify(seen)).not.toContain("jet.person");
    const stranger = principalOf("somebody-else");
    expect(await inspect(quarantineId, stranger)).toMatchObject({ ok: false, error: { code: "not_found" } });
    const page = { beforeId: null, state: null, rowsMax: 10 };
    expect(expectOk(await listQuarantine(world.database.sql, stranger, page))).toEqual([]);
  });

  it("of one user is not shown to another", async () => {
    newTenant();
    const walId = await world.ingest(tenant, [{ id: "junk", text: JUNK, user_id: "ann" }]);
    await indexAll();
    const as = (userId: string) => inspect(`${walId}-0`, { ...principalOf(tenant), userId });
    expect(await as("bob")).toMatchObject({ ok: false, error: { code: "not_found" } });
    expect(expectOk(await as("ann")).user_id).toBe("ann");
  });

  it("shows at most the start of a long text", async () => {
    newTenant();
    const walId = await world.ingest(tenant, [{ id: "junk", text: JUNK.repeat(20) }]);
    await indexAll();
    const seen = expectOk(await inspect(`${walId}-0`));
    expect(seen.is_whole).toBe(false);
    expect(seen.preview?.length).toBeLessThanOrEqual(1000);
  });
});

describe("a release", () => {
  it("ends as indexed, with a receipt that says released, and the row says who, when and why", async () => {
    const { quarantineId } = await hold();
    const released = expectOk(await release(quarantineId));
    await indexAll();
    const receipt = expectOk(
      await readReceipt(world.context(), principalOf(tenant), { id: released.receipt_id, verify: true }),
    );
    expect(receipt).toMatchObject({ outcome: "indexed", document_id: "junk", proof: { holds: true, present: true } });
    expect(receipt.reasons[0]).toEqual({ code: "released", detail: quarantineId });
    const seen = expectOk(await inspect(quarantineId));
    expect(seen).toMatchObject({ state: "released", decided_by: "test", decision_note: "looks fine" });
    expect(seen.released_as).toBe(released.receipt_id);
    expect(seen.decided_at).not.toBeNull();
  });

  it("happens once, however often it is asked for", async () => {
    const { quarantineId } = await hold();
    const first = expectOk(await release(quarantineId));
    expect(expectOk(await release(quarantineId))).toEqual(first);
    await indexAll();
    const [count] = await world.rows(tenant, "select count(*)::int as n from receipts where document_id = 'junk'");
    expect(count).toEqual({ n: 2 });
  });

  it("does not overwrite a version that came after the held one", async () => {
    const { quarantineId } = await hold();
    await world.ingest(tenant, [{ id: "junk", text: "The newer jet flows in the layer of the wing." }]);
    await indexAll();
    const released = expectOk(await release(quarantineId));
    await indexAll();
    const texts = await world.rows(
      tenant,
      "select e.text from doc_embeddings e join documents d using (tenant_id, document_uid) where d.document_id = 'junk'",
    );
    expect(texts).toEqual([{ text: "The newer jet flows in the layer of the wing." }]);
    const receipt = expectOk(
      await readReceipt(world.context(), principalOf(tenant), { id: released.receipt_id, verify: true }),
    );
    expect(receipt).toMatchObject({ outcome: "unchanged", proof: { superseded: true } });
  });

  it("of another tenant's or an unknown input is not found, and of a purged one a conflict", async () => {
    const { quarantineId } = await hold();
    const request = { quarantineId, note: "" };
    const foreign = await releaseQuarantined(world.context(), principalOf("somebody-else"), request);
    expect(foreign).toMatchObject({ ok: false, error: { code: "not_found" } });
    expectOk(await purge(quarantineId));
    expect(await release(quarantineId)).toMatchObject({ ok: false, error: { code: "conflict" } });
  });

  it("survives a crash at any await: asked for again, it ends once", async () => {
    const calls = await tryEveryCall(async (crash) => {
      const { quarantineId } = await hold();
      const finished = await survive(crash, () => release(quarantineId, crash));
      const sent = world.take();
      const released = expectOk(await release(quarantineId));
      for (const message of [...sent, ...world.take()]) expectOk(await indexRange(world.context(), message));
      const receipts = await world.rows(
        tenant,
        "select wal_id, outcome from receipts where document_id = 'junk' and outcome <> 'quarantined'",
      );
      expect(receipts).toEqual([{ wal_id: released.token, outcome: "indexed" }]);
      const [row] = await world.rows(tenant, "select state from quarantine where quarantine_id = $1", quarantineId);
      expect(row).toEqual({ state: "released" });
      return finished;
    });
    expect(calls).toBeGreaterThanOrEqual(4);
  });
});

describe("a purge", () => {
  it("removes the text and nothing else, leaves the record of the decision, and its neighbour's text", async () => {
    const { walId, quarantineId } = await hold();
    expect(expectOk(await purge(quarantineId))).toMatchObject({ state: "purged", text_removed: true });
    const seen = expectOk(await inspect(quarantineId));
    expect(seen).toMatchObject({ state: "purged", decided_by: "test", preview: null, title_preview: null });
    expect(expectOk(await inspect(`${walId}-2`)).preview).toContain("token");
    const stored = await objectText(quarantineKey(tenant, walId));
    expect(stored).not.toContain("Ask jet.person");
    expect(stored.split("jet.person@example.org")).toHaveLength(2);
  });

  it("cannot be undone by sending the request again under its Idempotency-Key", async () => {
    newTenant();
    const documents = [{ id: "junk", text: JUNK }];
    const walId = await world.ingest(tenant, documents, { key: "once" });
    await indexAll();
    expectOk(await purge(`${walId}-0`));
    expect(await world.ingest(tenant, documents, { key: "once" })).toBe(walId);
    await indexAll();
    expect(await objectText(quarantineKey(tenant, walId))).not.toContain("token token");
    expect(expectOk(await inspect(`${walId}-0`))).toMatchObject({ state: "purged", preview: null });
  });

  it("survives a crash at any await: asked for again, the text is gone", async () => {
    await tryEveryCall(async (crash) => {
      const { walId, quarantineId } = await hold();
      const finished = await survive(crash, () => purge(quarantineId, crash));
      expectOk(await purge(quarantineId));
      expect(await objectText(quarantineKey(tenant, walId))).not.toContain("Ask jet.person");
      const seen = expectOk(await inspect(quarantineId));
      expect([seen.state, seen.text_removed_at === null]).toEqual(["purged", false]);
      return finished;
    });
  });
});

describe("retention", () => {
  const retain = () => runTicked(world.context(), QUARANTINE_RETENTION_JOB);

  it("removes what is older than the policy says, completes an interrupted purge, and leaves the rest", async () => {
    const { walId, quarantineId } = await hold();
    await world.rows(
      tenant,
      "update quarantine set created_at = now() - interval '31 days' where document_id = 'junk'",
    );
    const kept = await hold();
    await world.rows(tenant, "update quarantine set state = 'purged' where quarantine_id = $1", kept.quarantineId);
    expectOk(await retain());
    expect(expectOk(await inspect(kept.quarantineId))).toMatchObject({ state: "purged", preview: null });
    expect(expectOk(await inspect(`${kept.walId}-2`)).preview).not.toBeNull();
    tenant = `held-${tenantCount - 1}`;
    expect(expectOk(await inspect(quarantineId))).toMatchObject({
      state: "purged",
      decided_by: "retention",
      preview: null,
    });
    expect(expectOk(await inspect(`${walId}-2`))).toMatchObject({ state: "held" });
  });

  it("obeys the tenant's own number of days", async () => {
    const { quarantineId } = await hold();
    await world.rows(tenant, "update quarantine set created_at = now() - interval '31 days'");
    await world.rows(tenant, `update tenants set policy = '{"quarantine": {"retention_days": 60}}'`);
    expectOk(await retain());
    expect(expectOk(await inspect(quarantineId)).state).toBe("held");
  });
});
