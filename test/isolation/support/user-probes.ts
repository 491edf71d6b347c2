/** Probes of the erasure of users: by everyone who must not, and by namesakes of another tenant, who erase themselves. */
import { OUTSIDE, readerOf } from "./callers.ts";
import { HOSTILE_PATHS } from "./hostile-ids.ts";
import type { Aim, Probe, ProbeMaker } from "./probe.ts";

function make(aim: Aim, { part, method }: { readonly part: string; readonly method: string }): Probe {
  const { random, callers, victim } = aim;
  const namesakes = callers.attackers.filter(
    ({ tenantId, userId }) => tenantId === OUTSIDE && userId === victim.userId && userId !== "",
  );
  // An outsider has a user of that name, and erases or reads about that one.
  const isNamesake = namesakes.length > 0 && random.next() < 0.2;
  const strangers = [...callers.owners, ...callers.unbound, ...callers.attackers].filter(
    ({ userId }) => userId !== victim.userId || userId === "",
  );
  const caller = random.pick(isNamesake ? namesakes : strangers);
  const isHostile = !isNamesake && (victim.userId === "" || random.next() < 0.05);
  const user = isHostile ? random.pick(HOSTILE_PATHS) : encodeURIComponent(victim.userId);
  return {
    caller,
    reader: readerOf(caller),
    path: `/v1/users/${user}${part}`,
    init: { method },
    isAimed: !isNamesake && !isHostile,
    kinds: [],
  };
}

export const userProbes: Readonly<Record<string, ProbeMaker>> = {
  eraseUser: { weight: 1, make: (aim) => make(aim, { part: "", method: "DELETE" }) },
  listErasures: { weight: 1, make: (aim) => make(aim, { part: "/erasures", method: "GET" }) },
};
