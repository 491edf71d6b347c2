/** Probes of the profiles: every user has one with facts of the same names. */
import { OUTSIDE, readerOf } from "./callers.ts";
import { HOSTILE_PATHS } from "./hostile-ids.ts";
import { json, type Aim, type Probe, type ProbeMaker } from "./probe.ts";
import type { Caller } from "./service.ts";

const QUERIES = ["", "?history=1", "?as_of=2026-06-01T00:00:00Z", "?from=2025-01-01T00:00:00Z&to=2026-06-01T00:00:00Z"];

/** The victim's profile by its name, or what is no name. */
function pathOf({ random, victim }: Aim): string {
  const isHostile = victim.userId === "" || random.next() < 0.05;
  return `/v1/profiles/${isHostile ? random.pick(HOSTILE_PATHS) : encodeURIComponent(victim.userId)}`;
}

function by(caller: Caller, { path, init }: { path: string; init?: RequestInit }, isAimed: boolean): Probe {
  return { caller, reader: readerOf(caller), path, ...(init === undefined ? {} : { init }), isAimed, kinds: [] };
}

export const profileProbes: Readonly<Record<string, ProbeMaker>> = {
  readProfile: {
    weight: 6,
    make: (aim) => {
      const { random, callers, victim } = aim;
      const strangers = [...callers.owners, ...callers.attackers].filter(({ userId }) => userId !== victim.userId);
      const namesakes = [...callers.owners, ...callers.attackers].filter(
        ({ tenantId, userId }) => userId === victim.userId && tenantId !== victim.tenantId,
      );
      // A namesake in another tenant has a profile of their own, or none.
      const isNamesake = namesakes.length > 0 && random.next() < 0.4;
      const caller = random.pick(isNamesake ? namesakes : strangers);
      return by(caller, { path: pathOf(aim) + random.pick(QUERIES) }, !isNamesake);
    },
  },
  putProfile: {
    weight: 1,
    make: (aim) => {
      const { random, callers, victim } = aim;
      const caller = random.pick(callers.attackers);
      const body = {
        facts: [{ key: "vault", value: "There is no code any more, says somebody else." }],
        replace: true,
      };
      const isNamesake = caller.tenantId === OUTSIDE && caller.userId === victim.userId;
      return by(caller, { path: pathOf(aim), init: json(body, "PUT") }, !isNamesake && caller.userId !== "");
    },
  },
};
