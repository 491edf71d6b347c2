import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { ORPHAN_KINDS } from "../../src/lib/flows/orphans/finding.ts";
import { ORPHAN_CHECK_JOB } from "../../src/lib/flows/orphans/orphan-check-job.ts";
import { ORPHAN_REPAIR_JOB } from "../../src/lib/flows/orphans/orphan-repair-job.ts";
import { eraseDocuments } from "../../src/lib/flows/deletions/erase-documents.ts";
import { dropExpiredBatch } from "../../src/lib/flows/retention/drop-batch.ts";
import { expectOk, statement } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { CAMPAIGN_MS_MAX, crashEvery, CrashPoint } from "./support/crashing.ts";
import { type Fault, FAULTS, plant, populate } from "./support/faults.ts";
import { FIRST_RUN, runTicked } from "./support/run-ticked.ts";
import { openWorld, type World } from "./support/world.ts";

const checkSchema = z.object({
  lookedAtCount: z.int(),
  found: z.record(z.string(), z.int()),
  confirmedCount: z.int(),
  findings: z.array(z.object({ tenant_id: z.string(), kind: z.string(), subject: z.string(), confirmed: z.boolean() })),
  failures: z.array(z.unknown()),
});
const repairSchema = z.object({
  repairedCount: z.int(),
  keptCount: z.int(),
  unconfirmedCount: z.int(),
  failedCount: z.int(),
  findings: z.array(z.object({ tenant_id: z.string(), kind: z.string(), outcome: z.string() })),
});

/** Bounds the search for the last crash point. */
const CALLS_MAX = 400;
const CRASH_EVERY = crashEvery(11);
const SYSTEM = { tenantId: "", userId: "" };
const backends = await availableBackends(["pglite", "native", "debian"]);
/** What another way of storing vectors may change. */
const OF_VECTORS = new Set(["chunk_without_vector", "document_without_chunks", "scope_counters"]);

/** Faults of one test, each in a tenant of its own. */
const FAULTS_PER_TEST = 8;

describe.each(backends)("the orphan check on %s", (backend) => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld(backend);
  });
  afterEach(() => world?.close());

  async function check(): Promise<z.infer<typeof checkSchema>> {
    return checkSchema.parse(expectOk(await runTicked(world.context(), ORPHAN_CHECK_JOB)).report);
  }

  async function repair(isDryRun = false): Promise<z.infer<typeof repairSchema>> {
    return repairSchema.parse(expectOk(await runTicked(world.context(), ORPHAN_REPAIR_JOB, { isDryRun })).report);
  }

  it("finds nothing in a healthy store", async () => {
    await populate(world, "healthy");
    const report = await check();
    expect(report.findings).toEqual([]);
    expect(report.failures).toEqual([]);
    expect(report.lookedAtCount).toBeGreaterThan(20);
  });

  const faults = Object.entries(FAULTS).filter(([, { finds }]) => backend !== "debian" || OF_VECTORS.has(finds));
  const starts = faults.map((_, index) => index).filter((index) => index % FAULTS_PER_TEST === 0);
  it.each(starts)(
    "finds exactly what is broken, mends what can be mended, and keeps the rest: from fault %i on",
    async (start) => {
      const faultOf = new Map<string, Fault>();
      for (const [index, [, fault]] of faults.slice(start, start + FAULTS_PER_TEST).entries()) {
        const tenantId = `broken-${index}`;
        await populate(world, tenantId);
        faultOf.set(tenantId, fault);
        await fault.breakIt(world, tenantId);
      }
      const found = await check();
      const expected = [...faultOf].map(([tenant_id, { finds }]) => ({ tenant_id, kind: finds, confirmed: false }));
      expect(found.findings.map(({ tenant_id, kind, confirmed }) => ({ tenant_id, kind, confirmed }))).toEqual(
        expected,
      );
      expect(found.failures).toEqual([]);
      expect(found.findings.every(({ subject }) => !subject.includes("ann"))).toBe(true);
      await ageMarks(world, 61);
      expect((await check()).confirmedCount).toBe(expected.length);

      const outcomes = [...faultOf].map(([tenant_id, fault]) => ({
        tenant_id,
        kind: fault.finds,
        outcome: fault.repair,
      }));
      expect((await repair(true)).findings).toEqual(outcomes);
      const repaired = await repair();
      expect(repaired.findings).toEqual(outcomes);
      // A document whose empty vector went waits for the consumer.
      const waiting = expected.filter(({ kind }) => kind === "chunk_without_vector").length;
      expect(repaired).toMatchObject({ failedCount: 0, unconfirmedCount: waiting });
      await world.indexQueued();
      const left = await check();
      expect(left.findings.map(({ tenant_id }) => tenant_id)).toEqual(
        outcomes.filter(({ outcome }) => outcome === "kept").map(({ tenant_id }) => tenant_id),
      );
    },
  );
});

/** As if the marks had been made so long ago. */
async function ageMarks(world: World, minutes: number): Promise<void> {
  const earlier = `first_seen_at - interval '${minutes} minutes'`;
  const text = `update orphan_marks set first_seen_at = ${earlier}, last_seen_at = ${earlier}`;
  expectOk(await world.database.ownerSql.transaction(SYSTEM, [statement(text)]));
}

it("the faults are of every kind", () => {
  expect(new Set(Object.values(FAULTS).map(({ finds }) => finds))).toEqual(new Set(Object.keys(ORPHAN_KINDS)));
});

describe("the orphan check and its repair", () => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld();
  });
  afterEach(() => world?.close());

  const textOf = (words: string): string =>
    `The ${words} is in the boundary layer of the jet, and it stays there for long.`;

  async function findings(crash?: CrashPoint): Promise<readonly string[]> {
    const report = checkSchema.parse(expectOk(await runTicked(world.context(crash), ORPHAN_CHECK_JOB)).report);
    expect(report.failures).toEqual([]);
    return report.findings.map(({ tenant_id, kind }) => `${tenant_id} ${kind}`);
  }

  it("find nothing while others write, change, delete and drop", async () => {
    const tenantId = "busy";
    await populate(world, tenantId);
    const writers = { isOver: false };
    const write = async (): Promise<void> => {
      for (let round = 0; round < 12; round += 1) {
        const documents = [0, 1, 2].map((index) => ({
          id: `w${(round + index) % 5}`,
          text: textOf(`wing ${round} of ${index}`),
        }));
        await world.ingest(tenantId, [...documents, { id: `q${round}`, text: "win win win ".repeat(200) }], {
          batchTag: `round-${round % 4}`,
        });
        await world.indexQueued();
        const deletion = { tenantId, userId: "", documents: [{ documentId: `w${round % 5}`, tier: "doc" as const }] };
        if (round % 3 === 0)
          expectOk(await eraseDocuments(world.context(), { ...deletion, deletionId: world.context().newUlid() }));
        if (round === 8)
          expectOk(
            await dropExpiredBatch(world.context(), { tenantId, batchTag: "round-1" }, { isSpent: () => false }),
          );
      }
      writers.isOver = true;
    };
    const look = async (): Promise<void> => {
      while (!writers.isOver) expect(await findings()).toEqual([]);
    };
    await Promise.all([write(), look()]);
    expect(await findings()).toEqual([]);
  });

  it("of a round that is cut see each page once, and marks go when a whole look does not find them any more", async () => {
    const tenantId = "cut";
    await populate(world, tenantId);
    await FAULTS["a chunk of no document"]?.breakIt(world, tenantId);
    await FAULTS["a session without its marker"]?.breakIt(world, tenantId);
    const marks = async (): Promise<number> => (await world.rows(tenantId, "select kind from orphan_marks")).length;
    const dry = checkSchema.parse(
      expectOk(await runTicked(world.context(), ORPHAN_CHECK_JOB, { isDryRun: true })).report,
    );
    expect(dry.found).toEqual({ chunk_without_document: 1, session_without_marker: 1 });
    expect(await marks()).toBe(0);
    const states: string[] = [];
    let found: unknown;
    while (states.at(-1) !== "done" && states.length < 60) {
      const context = { ...world.context(), clock: () => (world.nowMs += 1_000) };
      const ran = expectOk(await runTicked(context, ORPHAN_CHECK_JOB, { timeMsMax: 6_000 }));
      states.push(ran.state);
      ({ found } = checkSchema.parse(ran.report));
    }
    expect(states.length).toBeGreaterThan(2);
    expect(found).toEqual({ chunk_without_document: 1, session_without_marker: 1 });
    expect(await marks()).toBe(2);
    await plant(
      world,
      tenantId,
      "delete from doc_embeddings e where tenant_id = $1 and not exists (select 1 from documents d where d.tenant_id = $1 and d.document_uid = e.document_uid)",
    );
    await findings();
    expect(await marks()).toBe(1);
  });

  it("mend nothing that was not found twice with an hour between", async () => {
    const tenantId = "hour";
    await populate(world, tenantId);
    await FAULTS["counters of a batch"]?.breakIt(world, tenantId);
    await findings();
    await ageMarks(world, 59);
    await findings();
    const mend = async (): Promise<unknown> =>
      repairSchema.parse(expectOk(await runTicked(world.context(), ORPHAN_REPAIR_JOB)).report);
    expect(await mend()).toMatchObject({ repairedCount: 0, unconfirmedCount: 1 });
    await ageMarks(world, 61);
    expect(await mend()).toMatchObject({ repairedCount: 0, unconfirmedCount: 1 });
    await findings();
    expect(await mend()).toMatchObject({ repairedCount: 1, unconfirmedCount: 0 });
    expect(await findings()).toEqual([]);
  });

  it("mend once what two runs find that have both lost their lease", async () => {
    const tenantId = "twice";
    await populate(world, tenantId);
    for (const fault of ["a document whose chunks are gone", "counters of a batch", "statistics of a place"])
      await FAULTS[fault]?.breakIt(world, tenantId);
    await findings();
    await plant(
      world,
      tenantId,
      "update orphan_marks set first_seen_at = first_seen_at - interval '2 hours' where tenant_id = $1",
    );
    const ran = await Promise.all([1, 2].map(() => ORPHAN_REPAIR_JOB.run(world.context(), FIRST_RUN)));
    expect(ran.map(({ outcome }) => outcome)).toEqual(["done", "done"]);
    await world.indexQueued();
    expect(await findings()).toEqual([]);
    const [document] = await world.rows(tenantId, "select chunk_count from documents where document_id = 'd0'");
    expect(document).toEqual({ chunk_count: 1 });
  });

  it(
    "leave nothing that the next run does not mend, whatever await they died at",
    { timeout: CAMPAIGN_MS_MAX },
    async () => {
      const tenantId = "crash";
      await populate(world, tenantId);
      const hasBroken = async (): Promise<boolean> =>
        (await findings()).some((each) => each.startsWith(`${tenantId} `));
      const confirm = async (): Promise<void> => {
        await findings();
        const earlier =
          "update orphan_marks set first_seen_at = first_seen_at - interval '2 hours' where tenant_id = $1";
        await plant(world, tenantId, earlier);
      };
      for (const job of [ORPHAN_CHECK_JOB, ORPHAN_REPAIR_JOB] as const) {
        let isThrough = false;
        for (let callIndex = 0; callIndex < CALLS_MAX && !isThrough; callIndex += CRASH_EVERY) {
          await FAULTS["a document whose chunks are gone"]?.breakIt(world, tenantId);
          await FAULTS["counters of a batch"]?.breakIt(world, tenantId);
          if (job === ORPHAN_REPAIR_JOB) await confirm();
          const crash = new CrashPoint({ callIndex, moment: callIndex % 2 === 0 ? "after" : "before" });
          try {
            await runTicked(world.context(crash), job);
          } catch (error) {
            if (!crash.hasCrashed) throw error;
          }
          isThrough = !crash.hasCrashed;
          const expire = statement("update job_leases set expires_at = now() - interval '1 second'");
          expectOk(await world.database.ownerSql.transaction(SYSTEM, [expire]));
          await confirm();
          expectOk(await runTicked(world.context(), ORPHAN_REPAIR_JOB));
          await world.indexQueued();
          expect({ callIndex, isBroken: await hasBroken() }).toEqual({ callIndex, isBroken: false });
        }
        expect(isThrough).toBe(true);
      }
    },
  );
});
