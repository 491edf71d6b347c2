import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MINUTE_MS } from "../../src/lib/base/durations.ts";
import { WHOLE_TENANT, upsertArtifact } from "../../src/lib/db/queries/artifacts.ts";
import { insertDeadLetters } from "../../src/lib/db/queries/dead-letters.ts";
import type { Job, JobGauge } from "../../src/lib/flows/jobs/job.ts";
import { MEASURE_JOB } from "../../src/lib/flows/jobs/measure-job.ts";
import { TimeBudget } from "../../src/lib/flows/jobs/time-budget.ts";
import { SWEEP_JOB } from "../../src/lib/flows/sweep/sweep-job.ts";
import { expectOk } from "../support/database.ts";
import { FIRST_RUN } from "./support/run-ticked.ts";
import { openWorld, type World, type WorldContext } from "./support/world.ts";

const TEXT = "The jet flows over the wing in the boundary layer of the token.";

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());

const valuesOf = (gauges: readonly JobGauge[] = []): Record<string, number> =>
  Object.fromEntries(gauges.map(({ name, labels, value }) => [[name, ...Object.values(labels)].join(" "), value]));
const measured = async (job: Job<WorldContext, unknown>, run = FIRST_RUN) =>
  valuesOf((await job.run(world.context(), run)).gauges);

async function writeRows(tenantId: string): Promise<void> {
  const letter = { code: "wal_damaged", walKey: null, walId: null, rangeIndex: 0, documentIndex: null };
  const letters = ["a", "b"].map((deadLetterId) => {
    return { ...letter, deadLetterId, queue: "embed", chunkIndex: null, attempts: 1 };
  });
  const artifact = { userId: WHOLE_TENANT, kind: "pack" as const, mediaType: "x", batchTag: null, sizeBytes: 1_500 };
  const named = { artifactId: "pack-1", objectKey: `packs/${tenantId}/1.mpz`, sha256Hex: "ab".repeat(32) };
  const statements = [insertDeadLetters(tenantId, letters), upsertArtifact(tenantId, { ...artifact, ...named })];
  expectOk(await world.database.sql.transaction({ tenantId, userId: "*" }, statements));
}

describe("the job that measures", () => {
  it("adds up all tenants, in as many runs as it takes", async () => {
    const before = await measured(MEASURE_JOB);
    for (const tenantId of ["measured-1", "measured-2"]) {
      await world.ingest(tenantId, [{ id: "a", text: TEXT }]);
      await writeRows(tenantId);
    }
    const after = await measured(MEASURE_JOB);
    expect(after["artifact_objects pack"]).toBe((before["artifact_objects pack"] ?? 0) + 2);
    expect(after["artifact_bytes pack"]).toBe((before["artifact_bytes pack"] ?? 0) + 3_000);
    expect(after["dead_letters_open embed"]).toBe((before["dead_letters_open embed"] ?? 0) + 4);
    expect(after["dead_letters_open seal"]).toBe(before["dead_letters_open seal"]);
    expect(after["database_bytes"]).toBeGreaterThan(1_000_000);

    const half = await MEASURE_JOB.run(world.context(), { ...FIRST_RUN, budget: spentAfterLooks(1) });
    expect([half.outcome, half.gauges]).toEqual(["partial", undefined]);
    const rest = await measured(MEASURE_JOB, { ...FIRST_RUN, cursor: half.cursor });
    expect({ ...rest, database_bytes: 0 }).toEqual({ ...after, database_bytes: 0 });
    world.take();
  });
});

/** Spent from the n-th look at it on, counted from 0. */
function spentAfterLooks(looks: number): TimeBudget {
  let looked = 0;
  return new TimeBudget(() => (looked++ > looks ? MINUTE_MS : 0), 1);
}

describe("the sweeper", () => {
  it("measures what is older than two minutes and not applied, and nothing when all is", async () => {
    await world.ingest("backlog", [{ id: "a", text: TEXT }]);
    const fresh = await measured(SWEEP_JOB);
    world.nowMs += 10 * MINUTE_MS;
    const late = await measured(SWEEP_JOB);
    expect(late["wal_backlog_objects"]).toBe((fresh["wal_backlog_objects"] ?? 0) + 3);
    expect(late["wal_backlog_oldest_age_seconds"]).toBeCloseTo(600, 1);
    expect(late["wal_backlog_bytes"]).toBeGreaterThan(100);
    // The round above sent again what was lost of the test before.
    await world.indexQueued();
    expect(await measured(SWEEP_JOB)).toEqual({
      wal_backlog_objects: 0,
      wal_backlog_bytes: 0,
      wal_backlog_oldest_age_seconds: 0,
    });
  });
});
