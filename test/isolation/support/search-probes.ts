import { FUSIONS, SEARCH_MODES } from "../../../src/lib/contract/search.ts";
import { TIERS } from "../../../src/lib/contract/scope.ts";
import { strangerTo } from "./callers.ts";
import { HOSTILE_IDS, REFUSED_IDS } from "./hostile-ids.ts";
import { BATCH_TAG, sentenceOf, SESSION_ID, type Victim } from "./population.ts";
import { json, type Aim, type Probe, type ProbeMaker } from "./probe.ts";
import type { SeededRandom } from "../../support/seeded-random.ts";
import type { Caller } from "./service.ts";

/** Filters that name what the victim has. */
function filtersFor(victim: Victim, random: SeededRandom): object {
  return random.pick<object>([
    {},
    { document_ids: victim.documentIds.slice(0, 100) },
    { sources: ["vault"] },
    { metadata: { word: victim.wordOfTier.get("event") ?? "" } },
    { metadata: { session_id: SESSION_ID }, document_ids: [random.pick(victim.documentIds)] },
    { occurred_from: "2000-01-01T00:00:00Z" },
  ]);
}

/** Which user's memory is asked for, and whether that is refused. */
function userFor(caller: Caller, victim: Victim, random: SeededRandom): { userId?: string; isAimed: boolean } {
  const chance = random.next();
  if (chance < 0.1) return { userId: random.pick(REFUSED_IDS), isAimed: true };
  if (caller.userId !== "") {
    // A bound key that names another user is refused; without a name, or with its own, it sees its own.
    const isForeign = victim.userId !== "" && victim.userId !== caller.userId;
    return chance < 0.3 && isForeign ? { userId: victim.userId, isAimed: true } : { isAimed: false };
  }
  const others = HOSTILE_IDS.filter((id) => id !== victim.userId);
  return chance < 0.5 ? { isAimed: false } : { userId: random.pick(others), isAimed: false };
}

function make({ random, callers, victim }: Aim): Probe {
  const isSame = random.next() < 0.2 && victim.userId !== "";
  const ofTenant = callers.unbound.filter(({ tenantId }) => tenantId === victim.tenantId);
  const pool = [...callers.owners, ...callers.attackers, ...callers.unbound];
  const caller = isSame ? random.pick(ofTenant) : strangerTo(victim, pool, random);
  const tier = random.pick(TIERS);
  const mode = random.pick(SEARCH_MODES);
  const { userId, isAimed } = userFor(caller, victim, random);
  const body = {
    query: sentenceOf(tier, victim.wordOfTier.get(tier) ?? BATCH_TAG),
    mode,
    fusion: random.pick(FUSIONS),
    k: random.pick([1, 10, 100]),
    ...(random.next() < 0.7 ? { tiers: [tier] } : {}),
    filters: filtersFor(victim, random),
    explain: random.next() < 0.2,
    ...(random.next() < 0.3 ? { neighbours: 2 } : {}),
    ...(random.next() < 0.2 ? { as_of: "2030-01-01T00:00:00Z" } : {}),
    ...(userId === undefined ? {} : { user_id: userId }),
    ...(random.next() < 0.05 ? { min_token: victim.walId, wait_ms: 0 } : {}),
  };
  return {
    caller,
    reader: { tenantId: caller.tenantId, userId: caller.userId === "" ? (userId ?? "") : caller.userId },
    path: "/v1/search",
    init: json(body),
    isAimed,
    // Whether another tenant's write is through is nobody's business.
    ...(caller.tenantId === victim.tenantId || !("min_token" in body) ? {} : { tells: /"caught_up":true/ }),
    kinds: [`${tier} ${mode}`],
  };
}

export const searchProbes: Readonly<Record<string, ProbeMaker>> = { search: { weight: 10, make } };
