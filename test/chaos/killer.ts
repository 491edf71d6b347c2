import { setTimeout as sleep } from "node:timers/promises";
import type { ChaosSystem, KillablePart } from "./parts/chaos-system.ts";
import type { Disturbance, DisturbanceKind, Part, Round } from "./plan.ts";

/** What was really done; a plan can hold more than a machine allows. */
export interface Damage {
  readonly kills: Readonly<Partial<Record<Part, number>>>;
  readonly disturbances: Readonly<Partial<Record<DisturbanceKind, number>>>;
  /** Of the plan, and not made here: no Redis server, no disk of its own. */
  readonly skipped: readonly string[];
}

interface Tally {
  readonly kills: Partial<Record<Part, number>>;
  readonly disturbances: Partial<Record<DisturbanceKind, number>>;
  readonly skipped: string[];
}

const START_ATTEMPTS_MAX = 20;
const START_PAUSE_MS = 1_000;

type Lane = (work: () => Promise<void>) => Promise<void>;

/** Carries out a round's plan; when it resolves everything runs again and answers honestly. */
export async function disturb(system: ChaosSystem, round: Round, log: (line: string) => void): Promise<Damage> {
  const tally: Tally = { kills: {}, disturbances: {}, skipped: [] };
  const lanes = new Map<string, Lane>();
  const startedAtMs = performance.now();
  const all = round.disturbances.map(async (disturbance) => {
    await sleep(Math.max(0, disturbance.atMs - (performance.now() - startedAtMs)));
    // Of one part and one kind one after the other: a process that is still starting is killed when it is there.
    const name = disturbance.kind === "kill" ? disturbance.part : disturbance.kind;
    const lane = lanes.get(name) ?? oneAtATime();
    lanes.set(name, lane);
    await lane(() => make(system, disturbance, { tally, log }));
  });
  await Promise.all(all);
  await Promise.all(Object.values(system.parts).map(startPatiently));
  return tally;
}

/** A part may be unable to start while the disk is full. */
async function startPatiently(part: KillablePart): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await part.start();
    } catch (error) {
      if (attempt === START_ATTEMPTS_MAX) throw error;
      await sleep(START_PAUSE_MS);
    }
  }
}

function oneAtATime(): Lane {
  let before: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = before.then(work);
    before = mine.catch(() => undefined);
    return mine;
  };
}

async function make(
  system: ChaosSystem,
  disturbance: Disturbance,
  { tally, log }: { readonly tally: Tally; readonly log: (line: string) => void },
): Promise<void> {
  const { kind } = disturbance;
  const skip = (why: string): void => void tally.skipped.push(why);
  if (kind === "kill") {
    const part = system.parts[disturbance.part];
    if (part === undefined) return skip(`kill ${disturbance.part}: not on this machine`);
    log(`kill -9 ${disturbance.part}`);
    await part.kill();
    tally.kills[disturbance.part] = (tally.kills[disturbance.part] ?? 0) + 1;
    await sleep(disturbance.downMs);
    return startPatiently(part);
  }
  if (kind === "disk_full" && system.disk.fill === undefined) return skip("disk_full: no disk can be mounted here");
  tally.disturbances[kind] = (tally.disturbances[kind] ?? 0) + 1;
  if (kind === "bad_replies") {
    const { count, spoil } = disturbance;
    log(`the next ${count} replies of the embedder: ${spoil.kind === "garbage" ? spoil.garbage : spoil.kind}`);
    system.embedderDoor.spoils.push(...Array.from({ length: count }, () => spoil));
    return;
  }
  log(`${kind} for ${disturbance.forMs} ms`);
  if (kind === "disk_full") await system.disk.fill?.();
  else system.database.cutShare = disturbance.share;
  await sleep(disturbance.forMs);
  if (kind === "disk_full") await system.disk.free();
  else system.database.cutShare = 0;
}
