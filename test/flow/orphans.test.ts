import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { ORPHAN_KINDS } from "../../src/lib/flows/orphans/finding.ts";
import { ORPHAN_CHECK_JOB } from "../../src/lib/flows/orphans/orphan-check-job.ts";
import { ORPHAN_REPAIR_JOB } from "../../src/lib/flows/orphans/orphan-repair-job.ts";
import { expectOk, statement } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { FAULTS, populate } from "./support/faults.ts";
import { runTicked } from "./support/run-ticked.ts";
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

const SYSTEM = { tenantId: "", userId: "" };
const backends = await availableBackends(["pglite", "native", "debian"]);
/** What another way of storing vectors may change. */
const OF_VECTORS = new Set(["chunk_without_vector", "document_without_chunks", "scope_counters"]);

describe.each(backends)("the orphan check on %s", (backend) => {
  let world: World;
  let tenantCount = 0;
  beforeAll(async () => {
    world = await openWorld(backend);
  });
  afterAll(() => world?.close());

  async function newTenant(): Promise<string> {
    tenantCount += 1;
    const tenantId = `orphans-${String(tenantCount).padStart(3, "0")}`;
    await populate(world, tenantId);
    return tenantId;
  }

  async function check(isDryRun = false): Promise<z.infer<typeof checkSchema>> {
    return checkSchema.parse(expectOk(await runTicked(world.context(), ORPHAN_CHECK_JOB, { isDryRun })).report);
  }

  async function repair(isDryRun = false): Promise<z.infer<typeof repairSchema>> {
    return repairSchema.parse(expectOk(await runTicked(world.context(), ORPHAN_REPAIR_JOB, { isDryRun })).report);
  }

  /** As if the marks had been made so long ago. */
  async function age(minutes: number): Promise<void> {
    const shift = `first_seen_at - interval '${minutes} minutes'`;
    const text = `update orphan_marks set first_seen_at = ${shift}, last_seen_at = ${shift}`;
    expectOk(await world.database.ownerSql.transaction(SYSTEM, [statement(text)]));
  }

  it("finds nothing in a healthy store, and breaking it is told apart", async () => {
    await newTenant();
    const report = await check();
    expect(report.findings).toEqual([]);
    expect(report.failures).toEqual([]);
    expect(report.lookedAtCount).toBeGreaterThan(20);
    expect(new Set(Object.values(FAULTS).map(({ finds }) => finds))).toEqual(new Set(Object.keys(ORPHAN_KINDS)));
  });

  it("finds exactly what is broken, marks it, mends after an hour what can be mended, and keeps the rest", async () => {
    const faultOf = new Map<string, (typeof FAULTS)[string] & { readonly name: string }>();
    const faults = Object.entries(FAULTS).filter(([, { finds }]) => backend !== "debian" || OF_VECTORS.has(finds));
    for (const [name, fault] of faults) {
      const tenantId = await newTenant();
      faultOf.set(tenantId, { name, ...fault });
      await fault.breakIt(world, tenantId);
    }
    const found = await check();
    const expected = [...faultOf].map(([tenant_id, { finds }]) => ({ tenant_id, kind: finds, confirmed: false }));
    expect(found.findings.map(({ subject: _, ...finding }) => finding)).toEqual(expected);
    expect(found.failures).toEqual([]);
    expect(found.findings.every(({ subject }) => !subject.includes("ann"))).toBe(true);

    await age(59);
    expect((await check()).confirmedCount).toBe(0);
    expect(await repair()).toMatchObject({ repairedCount: 0, keptCount: 0, unconfirmedCount: expected.length });
    await age(61);
    expect((await check()).confirmedCount).toBe(expected.length);

    const outcomes = [...faultOf].map(([tenant_id, { finds, repair: outcome }]) => ({
      tenant_id,
      kind: finds,
      outcome,
    }));
    expect((await repair(true)).findings).toEqual(outcomes);
    expect((await check()).findings).toHaveLength(expected.length);
    const repaired = await repair();
    // The document whose empty vector went waits for the consumer.
    expect(repaired).toMatchObject({ failedCount: 0, unconfirmedCount: 1 });
    expect(repaired.findings).toEqual(outcomes);
    await world.indexQueued();
    const left = await check();
    expect(left.findings.map(({ tenant_id }) => tenant_id)).toEqual(
      outcomes.filter(({ outcome }) => outcome === "kept").map(({ tenant_id }) => tenant_id),
    );
  });
});
