import { expect } from "vitest";
import { batchStatus } from "../../../src/lib/flows/batches/batch-status.ts";
import { expectOk } from "../../support/database.ts";
import type { CrashPlan, CrashPoint } from "./crashing.ts";
import type { World } from "./world.ts";

/** Bounds the search for the last crash point: no flow awaits that often. */
const CALLS_MAX = 60;

/** Runs a step that may crash, and says whether it got through; anything else that goes wrong is a fault of the system. */
export async function survive(crash: CrashPoint, step: () => Promise<unknown>): Promise<boolean> {
  try {
    await step();
  } catch (error) {
    if (!crash.hasCrashed) throw error;
  }
  return !crash.hasCrashed;
}

/** What must hold when everything has settled: each accepted input ended once, and every count agrees with the rows. */
export async function expectConsistent(
  world: World,
  tenantId: string,
  accepted: readonly { walId: string; inputCount: number }[],
): Promise<void> {
  for (const { walId, inputCount } of accepted) {
    const status = expectOk(await batchStatus(world.context(), { tenantId, batchTag: walId }));
    const ended = Object.values(status.outcomes).reduce((sum, count) => sum + count, 0);
    expect({ walId, state: status.state, ended, pending: status.pending_count }).toEqual({
      walId,
      state: "done",
      ended: inputCount,
      pending: 0,
    });
    const [receipts] = await world.rows(tenantId, "select count(*) as n from receipts where wal_id = $1", walId);
    expect(Number(receipts?.["n"])).toBe(inputCount);
  }
  const [wrong] = await world.rows(
    tenantId,
    `select
       (select count(*) from documents d where d.deleted_at is null and d.chunk_count <> (select count(*) from doc_embeddings e
          where e.tenant_id = d.tenant_id and e.document_uid = d.document_uid)) as miscounted,
       (select count(*) from doc_embeddings e where not exists (select 1 from documents d where d.tenant_id = e.tenant_id
          and d.document_uid = e.document_uid and d.generation = e.generation)) as orphaned,
       (select coalesce(sum(chunk_count), 0) from scope_counts) - (select count(*) from doc_embeddings) as drifted`,
  );
  expect(wrong).toEqual({ miscounted: "0", orphaned: "0", drifted: "0" });
}

export async function tryEveryCall(crashAt: (plan: CrashPlan) => Promise<boolean>): Promise<number> {
  for (let callIndex = 0; callIndex < CALLS_MAX; callIndex += 1) {
    const before = await crashAt({ callIndex, moment: "before" });
    const after = await crashAt({ callIndex, moment: "after" });
    if (before && after) return callIndex;
  }
  throw new Error(`no flow should await more than ${CALLS_MAX} calls`);
}
