import { rowsIn, statement } from "../../support/database.ts";
import { adminProbes } from "./admin-probes.ts";
import { makeCallers, MALLORY, OUTSIDE } from "./callers.ts";
import type { Population } from "./population.ts";
import type { Probe, ProbeMaker } from "./probe.ts";
import { profileProbes } from "./profile-probes.ts";
import { rowProbes } from "./row-probes.ts";
import { searchProbes } from "./search-probes.ts";
import { SeededRandom } from "../../support/seeded-random.ts";
import type { Service } from "./service.ts";
import { userProbes } from "./user-probes.ts";
import { writeProbes } from "./write-probes.ts";

/** How each route is probed. */
export const PROBES: Readonly<Record<string, ProbeMaker>> = {
  ...searchProbes,
  ...rowProbes,
  ...writeProbes,
  ...profileProbes,
  ...adminProbes,
  ...userProbes,
};

/** Requests at a time: what they read goes out in a few round trips. */
const AT_ONCE = 48;

export interface Tally {
  probeCount: number;
  readonly countOfRoute: Map<string, number>;
  readonly countOfKind: Map<string, number>;
  /** Routes that told something, with an example each. */
  readonly leaks: Map<string, string[]>;
  /** Replies with a status of 500 and above, which are no answers. */
  readonly failures: string[];
}

/** Sends `count` probes, made from `seed`, and says what they found. */
export async function runProbes(
  population: Population,
  service: Service,
  { count, seed }: { readonly count: number; readonly seed: number },
): Promise<Tally> {
  const random = new SeededRandom(seed);
  const callers = await makeCallers(population, service);
  const keyIds = [...callers.owners, ...callers.unbound].map(({ keyId }) => keyId);
  const deck = Object.entries(PROBES).flatMap(([route, { weight }]) => Array.from({ length: weight }, () => route));
  const tally: Tally = {
    probeCount: 0,
    countOfRoute: new Map(),
    countOfKind: new Map(),
    leaks: new Map(),
    failures: [],
  };
  while (tally.probeCount < count) {
    const wave = Array.from({ length: Math.min(AT_ONCE, count - tally.probeCount) }, async () => {
      const route = random.pick(deck);
      const probe = PROBES[route]?.make({ random, callers, victim: random.pick(population.victims), keyIds });
      if (probe !== undefined) await send(route, probe);
    });
    await Promise.all(wave);
    tally.probeCount += wave.length;
  }
  return tally;

  async function send(route: string, probe: Probe): Promise<void> {
    add(tally.countOfRoute, route);
    for (const kind of probe.kinds) add(tally.countOfKind, `${route} ${kind}`);
    const { status, text } = await service.ask(probe.caller, probe.path, probe.init);
    const call = `${probe.init?.method ?? "GET"} ${probe.path} ${typeof probe.init?.body === "string" ? probe.init.body : ""}`;
    if (status >= 500) tally.failures.push(`${route}: ${call}: ${text}`);
    const told = [
      ...population.secrets.foreignIn(text, probe.reader),
      ...(probe.isAimed && status < 400 ? [`status ${status}`] : []),
      ...(probe.tells?.exec(text) ?? []),
    ];
    if (told.length === 0) return;
    const who = `${probe.caller.tenantId}/${probe.caller.userId}`;
    const leaks = tally.leaks.get(route) ?? [];
    leaks.push(`${who} ${call}: ${told.slice(0, 3).join(", ")}`);
    tally.leaks.set(route, leaks);
  }
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

const TABLES = [
  "documents",
  "doc_embeddings",
  "document_signatures",
  "receipts",
  "quarantine",
  "artifacts",
  "scope_counts",
  "profiles",
] as const;

/** Hashes of everything that the victims have in the store, by table. Equal before and after: nobody changed it. */
export async function fingerprintOf({ world }: Population): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const table of TABLES) {
    const text = `select count(*)::int as row_count, md5(string_agg(t::text, '|' order by t::text)) as hash from ${table} t
      where tenant_id <> $1 and user_id <> $2`;
    const rows = await rowsIn(
      world.database.ownerSql,
      { tenantId: "", userId: "*" },
      statement(text, OUTSIDE, MALLORY),
    );
    found[table] = rows[0];
  }
  return found;
}
