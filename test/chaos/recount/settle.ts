import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { MINUTE_MS } from "../../../src/lib/base/durations.ts";
import { ApiClient } from "../../../src/cli/api-client.ts";
import { sessionReplySchema } from "../../../src/lib/contract/session.ts";
import { statement } from "../../support/database.ts";
import { BRIDGE_STREAM, type ChaosSystem } from "../parts/chaos-system.ts";
import type { Talked } from "../workload/talker.ts";
import { listObjects } from "./read-store.ts";

export interface Settled {
  /** Since the last fault and the last client, milliseconds. */
  readonly afterMs: number;
  /** What was still open when patience ended; empty where all is quiet. */
  readonly open: readonly string[];
}

const LOOK_EVERY_MS = 3_000;
/** The line of the schedule with the sweeper, and how often it is fired: more often than in production, so that a campaign ends. */
const SWEEP_CRON = "*/5 * * * *";
const SWEEP_EVERY_MS = 12_000;
/** The sweeper sends again what is two minutes old; retries wait for a minute at most. */
const PATIENCE_MS = 8 * MINUTE_MS;
/** Looks in a row that have to find nothing open: summaries of a segment come after it. */
const QUIET_LOOKS = 2;

const rangeSchema = z.object({ name: z.string() });

/** Seals the sessions, fires the sweeper, and waits until nothing is on its way. */
export async function settle(
  system: ChaosSystem,
  work: {
    readonly tenantIds: readonly string[];
    readonly talked: readonly Talked[];
    readonly log: (line: string) => void;
  },
): Promise<Settled> {
  const startedAtMs = Date.now();
  let quietLooks = 0;
  let sweptAtMs = 0;
  for (;;) {
    if (Date.now() - sweptAtMs >= SWEEP_EVERY_MS) {
      sweptAtMs = Date.now();
      await system.runCron(SWEEP_CRON).catch(() => false);
    }
    const open = [...(await openSessions(system.url, work.talked)), ...(await openRanges(system, work.tenantIds))];
    const entries = await openEntries(system);
    if (entries > 0) open.push(`${entries} entries of the stream`);
    quietLooks = open.length === 0 ? quietLooks + 1 : 0;
    const afterMs = Date.now() - startedAtMs;
    if (quietLooks === QUIET_LOOKS || afterMs > PATIENCE_MS) return { afterMs, open };
    work.log(`${open.length} open after ${Math.round(afterMs / 1000)} s`);
    await sleep(LOOK_EVERY_MS);
  }
}

/** Sessions with events that are in no registered segment; each is asked again to seal them. */
async function openSessions(url: string, talked: readonly Talked[]): Promise<string[]> {
  const open: string[] = [];
  for (const { session, writeToken } of talked) {
    const writer = new ApiClient(url, writeToken);
    const path = `/v1/sessions/${session.sessionId}`;
    const last = Math.max(0, ...session.acked.keys());
    const isDone = async (): Promise<boolean> => {
      const { seqs, segments } = await writer.json(sessionReplySchema, { path });
      if (seqs.sealed < last) await writer.response({ method: "POST", path: `${path}/seal` });
      return seqs.sealed >= last && seqs.embedded >= last && segments.every(({ registered }) => registered);
    };
    if (!(await isDone().catch(() => false))) open.push(`session ${session.sessionId}`);
  }
  return open;
}

async function openRanges({ bucket, database }: ChaosSystem, tenantIds: readonly string[]): Promise<string[]> {
  const text = "select tenant_id || '/' || wal_id || '#' || range_index as name from wal_ledger";
  const rows = await database.ownerSql.query(statement(text));
  if (!rows.ok) return [`the ledger: ${rows.error.code}`];
  const applied = new Set(rows.value.map((row) => rangeSchema.parse(row).name));
  const open: string[] = [];
  for (const tenantId of tenantIds) {
    for (const { walId, rangeCount } of await listObjects(await bucket(), tenantId))
      for (let range = 0; range < rangeCount; range += 1) open.push(`${tenantId}/${walId}#${range}`);
  }
  return open.filter((name) => !applied.has(name));
}

/** Undelivered and unacknowledged entries. */
async function openEntries({ producer }: ChaosSystem): Promise<number> {
  if (producer === undefined) return 0;
  const groups = await producer.xInfoGroups(BRIDGE_STREAM).catch(() => undefined);
  const [group] = groups ?? [];
  return group === undefined ? 1 : group.pending + (group.lag ?? 1);
}
