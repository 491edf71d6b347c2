import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DAY_MS } from "../../src/lib/base/durations.ts";
import {
  type AuditCheck,
  auditDiffSchema,
  auditSchema,
  type Audit,
  type AuditDiff,
} from "../../src/lib/contract/audit.ts";
import { AUDIT_JOB } from "../../src/lib/flows/audit/audit-job.ts";
import { auditKey, diffKey, diffTextKey, listAudits } from "../../src/lib/flows/audit/audit-objects.ts";
import type { AuditContext } from "../../src/lib/flows/audit/context.ts";
import { dropExpiredBatch } from "../../src/lib/flows/retention/drop-batch.ts";
import { expectOk, openTestDatabase } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { CrashPoint } from "./support/crashing.ts";
import { FAULT_BATCH, plant, populate } from "./support/faults.ts";
import { FIRST_RUN, runTicked } from "./support/run-ticked.ts";
import { openWorld, type World } from "./support/world.ts";

/** Bounds the search for the last crash point. */
const CALLS_MAX = 80;

function contextOf(world: World, crash?: CrashPoint): AuditContext & ReturnType<World["context"]> {
  const context = world.context(crash);
  return { ...context, databases: new Map([["home", context.sql]]) };
}

const dayOf = (world: World): string => new Date(world.nowMs).toISOString().slice(0, 10);

async function auditOf(world: World, day = dayOf(world)): Promise<Audit> {
  return auditSchema.parse(await (await world.bucket.get(auditKey(day)))?.json());
}

async function diffOf(world: World, day = dayOf(world)): Promise<AuditDiff> {
  return auditDiffSchema.parse(await (await world.bucket.get(diffKey(day)))?.json());
}

const alarming = ({ changes }: AuditDiff) =>
  changes.filter(({ verdict }) => verdict === "alarming").map(({ tenant_id, name }) => `${tenant_id ?? ""} ${name}`);

const isJsonb = async (world: World, tenantId: string): Promise<boolean> => {
  const [column] = await world.rows(
    tenantId,
    "select udt_name from information_schema.columns where table_name = 'doc_embeddings' and column_name = 'embedding'",
  );
  return column?.["udt_name"] === "jsonb";
};

const one =
  "tenant_id = $1 and document_uid = (select document_uid from documents where tenant_id = $1 and document_id = 'd0')";
const vector = (numbers: string) => `update doc_embeddings set embedding = '[${numbers}]' where ${one}`;

/** What each check has to find by itself. */
const FAULTS: Readonly<
  Record<Exclude<AuditCheck, "registry_differs">, (world: World, tenantId: string) => Promise<unknown>>
> = {
  batch_counters: (world, tenantId) =>
    plant(
      world,
      tenantId,
      "update batches set indexed_count = indexed_count + 1 where tenant_id = $1 and batch_tag = 'copies'",
    ),
  batch_ledger: (world, tenantId) =>
    plant(world, tenantId, "update wal_ledger set document_count = 7 where tenant_id = $1 and batch_tag = 'copies'"),
  scope_counters: (world, tenantId) =>
    plant(
      world,
      tenantId,
      "update scope_counts set lexeme_total = lexeme_total + 1 where tenant_id = $1 and tier = 'doc' and user_id = ''",
    ),
  document_chunk_count: (world, tenantId) =>
    plant(
      world,
      tenantId,
      "update documents set chunk_count = chunk_count + 1 where tenant_id = $1 and document_id = 'd0'",
    ),
  vector_dimensions: (world, tenantId) => plant(world, tenantId, vector("0.6,0.8")),
  vector_norm: (world, tenantId) => plant(world, tenantId, vector("0.7,0.8,0,0,0,0,0,0")),
  vector_model: async (world, tenantId) => {
    await plant(world, tenantId, `update doc_embeddings set model_id = 4711 where ${one}`);
    await plant(world, tenantId, `update documents set model_id = 4711 where ${one}`);
  },
  chunk_hash: (world, tenantId) =>
    plant(world, tenantId, `update doc_embeddings set chunk_hash = sha256('other') where ${one}`),
  chunk_text: (world, tenantId) => plant(world, tenantId, `update doc_embeddings set text = text || '!' where ${one}`),
  document_unreadable: async (world, tenantId) => {
    const wal = `select distinct wal_key from documents where tenant_id = $1 and document_id = 'talk/1'`;
    for (const row of await world.rows(tenantId, wal, tenantId)) await world.bucket.delete(String(row["wal_key"]));
  },
};

const backends = await availableBackends(["pglite", "native", "debian"]);

describe.each(backends)("the audit on %s", (backend) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(backend);
  });
  afterAll(() => world?.close());

  it("counts a healthy store, finds nothing wrong, and finds exactly what is broken", async () => {
    await populate(world, "whole");
    expectOk(await runTicked(contextOf(world), AUDIT_JOB));
    const audit = await auditOf(world);
    expect(audit).toMatchObject({ tenant_count: 1, findings: [], unaudited: [] });
    const [whole] = audit.tenants;
    expect(whole?.counts).toMatchObject({
      "documents.live": 9,
      "documents.duplicate": 1,
      "tier.event": 3,
      "receipts.quarantined": 1,
      "artifacts.report": 1,
      "artifacts.segment": 1,
      members: 3,
      sessions: 1,
    });
    expect(whole?.counts["batch_inputs"]).toBe(whole?.counts["receipts"]);
    expect(whole?.counts["ledger_inputs"]).toBe(whole?.counts["receipts"]);
    expect(whole?.sample).toMatchObject({ after: "", document_count: 9, not_recomputable_count: 0 });
    expect((await diffOf(world)).alarming_count).toBe(0);

    for (const [check, breakIt] of Object.entries(FAULTS)) {
      const tenantId = `broken-${check.replaceAll("_", "-")}`;
      await populate(world, tenantId);
      await breakIt(world, tenantId);
    }
    world.nowMs += DAY_MS;
    expectOk(await runTicked(contextOf(world), AUDIT_JOB));
    const found = (await auditOf(world)).tenants.map(({ tenant_id, findings }) => [
      tenant_id,
      findings.map(({ check }) => check),
    ]);
    expect(Object.fromEntries(found)).toEqual({
      whole: [],
      ...Object.fromEntries(Object.keys(FAULTS).map((check) => [`broken-${check.replaceAll("_", "-")}`, [check]])),
    });
    const diff = await diffOf(world);
    expect(new Set(alarming(diff).filter((each) => !each.startsWith(" ")))).toEqual(
      new Set(Object.keys(FAULTS).map((check) => `broken-${check.replaceAll("_", "-")} finding ${check}`)),
    );
    const text = (await (await world.bucket.get(diffTextKey(dayOf(world))))?.text()) ?? "";
    expect(text).toMatch(
      /^Audit of \d{4}-\d\d-\d\d, against \d{4}-\d\d-\d\d: \d+ alarming, \d+ expected\n\nAlarming\n/,
    );
    expect(text).not.toContain("boundary layer");
  });

  it("takes a vector that is none for what it is", async () => {
    if (!(await isJsonb(world, "odd"))) return;
    await populate(world, "odd");
    await plant(world, "odd", `update doc_embeddings set embedding = '[1, null, "NaN", 0, 0, 0, 0, 0]' where ${one}`);
    expectOk(await runTicked(contextOf(world), AUDIT_JOB));
    const odd = (await auditOf(world)).tenants.find(({ tenant_id }) => tenant_id === "odd");
    expect(odd?.findings.map(({ check }) => check)).toEqual(["vector_dimensions"]);
  });
});

describe("an audit of several databases", () => {
  it("says where the registry of models is another", async () => {
    const world = await openWorld();
    const other = await openTestDatabase({ backend: "pglite" });
    await populate(world, "one");
    const context = contextOf(world);
    const databases = new Map([...context.databases, ["west", other.sql] as const]);
    expectOk(await runTicked({ ...context, databases }, AUDIT_JOB));
    expect((await auditOf(world)).findings).toEqual([{ check: "registry_differs", count: 1, subjects: ["west"] }]);
    expect(alarming(await diffOf(world))).toEqual([" finding registry_differs"]);
    await other.close();
    await world.close();
  });
});

describe("two audits", () => {
  it("tell what may have changed from what may not", async () => {
    const world = await openWorld();
    const tenants = ["grows", "drops", "loses", "vanishes", "stays"];
    for (const tenantId of tenants) await populate(world, tenantId);
    expectOk(await runTicked(contextOf(world), AUDIT_JOB));
    world.nowMs += DAY_MS;
    await world.ingest("grows", [
      { id: "new", text: "Another text of the boundary layer in the wind tunnel of the school." },
    ]);
    await world.indexQueued();
    const batch = { tenantId: "drops", batchTag: FAULT_BATCH };
    expectOk(await dropExpiredBatch(world.context(), batch, { isSpent: () => false }));
    await plant(world, "loses", "delete from documents where tenant_id = $1 and document_id = 'copy'");
    for (const table of ["documents", "doc_embeddings", "receipts", "batches", "wal_ledger", "artifacts"])
      await plant(world, "vanishes", `delete from ${table} where tenant_id = $1`);
    for (const prefix of ["wal", "segments", "sessions", "quarantine", "ingest_reports"]) {
      const listed = await world.bucket.list({ prefix: `${prefix}/vanishes/` });
      await world.bucket.delete(listed.objects.map(({ key }) => key));
    }
    expectOk(await runTicked(contextOf(world), AUDIT_JOB));
    const diff = await diffOf(world);
    const byTenant = Map.groupBy(diff.changes, ({ tenant_id }) => tenant_id ?? "");
    const verdicts = (tenantId: string) => new Set((byTenant.get(tenantId) ?? []).map(({ verdict }) => verdict));
    expect(verdicts("stays")).toEqual(new Set());
    expect(verdicts("grows")).toEqual(new Set(["expected"]));
    expect(verdicts("drops")).toEqual(new Set(["expected"]));
    expect(alarming(diff).filter((each) => each.startsWith("loses"))).toContain("loses documents");
    expect(alarming(diff)).toContain("vanishes documents");
    expect(alarming(diff)).toContain("vanishes ledger");
    await world.close();
  });

  it("are of different days: the second of a day takes the place of the first, and a cut one goes on where it was", async () => {
    const world = await openWorld();
    for (const tenantId of ["a", "b", "c"]) await populate(world, tenantId);
    const day = dayOf(world);
    expectOk(await runTicked(contextOf(world), AUDIT_JOB));
    const first = await auditOf(world);
    world.nowMs += 1_000;
    expectOk(await runTicked(contextOf(world), AUDIT_JOB));
    const second = await auditOf(world, day);
    expect(second.started_at > first.started_at).toBe(true);
    expect(second.totals).toEqual(first.totals);
    expect((await listAudits(world.bucket)).map((audit) => audit.day)).toEqual([day]);

    world.nowMs += DAY_MS;
    const next = dayOf(world);
    const cut = async (): Promise<string> => {
      const context = { ...contextOf(world), clock: () => (world.nowMs += 1_000) };
      return expectOk(await runTicked(context, AUDIT_JOB, { timeMsMax: 10_000 })).state;
    };
    const states: string[] = [];
    while (states.at(-1) !== "done" && states.length < 60) states.push(await cut());
    expect(states.length).toBeGreaterThan(3);
    expect(states.slice(0, -1).every((state) => state === "partial")).toBe(true);
    const cutAudit = await auditOf(world, next);
    expect(cutAudit.totals).toEqual(first.totals);
    expect(cutAudit.tenants.map(({ tenant_id }) => tenant_id)).toEqual(["a", "b", "c"]);
    expect(await world.bucket.head("audits/part.json")).toBeNull();
    await world.close();
  });

  it("are one where two runs have both lost their lease", async () => {
    const world = await openWorld();
    await populate(world, "twice");
    await Promise.all([1, 2].map(() => AUDIT_JOB.run(contextOf(world), FIRST_RUN)));
    const { totals } = await auditOf(world);
    world.nowMs += DAY_MS;
    expectOk(await runTicked(contextOf(world), AUDIT_JOB));
    expect((await auditOf(world)).totals).toEqual(totals);
    expect((await diffOf(world)).changes).toEqual([]);
    await world.close();
  });

  it("are the same whatever await a run died at", async () => {
    const world = await openWorld();
    await world.ingest("crashing", [
      { id: "d0", text: "The first token in the jet is in the boundary layer, and stays there." },
    ]);
    await world.indexQueued();
    expectOk(await runTicked(contextOf(world), AUDIT_JOB));
    const { totals } = await auditOf(world);
    let isThrough = false;
    for (let callIndex = 0; callIndex < CALLS_MAX && !isThrough; callIndex += 1) {
      world.nowMs += DAY_MS;
      const crash = new CrashPoint({ callIndex, moment: callIndex % 2 === 0 ? "after" : "before" });
      try {
        const ran = await runTicked(contextOf(world, crash), AUDIT_JOB);
        if (!ran.ok && !crash.hasCrashed) expectOk(ran);
      } catch (error) {
        if (!crash.hasCrashed) throw error;
      }
      isThrough = !crash.hasCrashed;
      await plant(world, "", "update job_leases set expires_at = now() - interval '1 second' where $1 = ''");
      expectOk(await runTicked(contextOf(world), AUDIT_JOB));
      expect({ callIndex, totals: (await auditOf(world)).totals }).toEqual({ callIndex, totals });
      expect((await diffOf(world)).alarming_count).toBe(0);
    }
    expect(isThrough).toBe(true);
    await world.close();
  });
});
