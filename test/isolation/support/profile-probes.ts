/** Probes of the profiles: every user has one with facts of the same names. */
import { readerOf } from "./callers.ts";
import { HOSTILE_PATHS } from "./hostile-ids.ts";
import { json, type Aim, type Probe, type ProbeMaker } from "./probe.ts";
import { mayRead } from "./secrets.ts";
import type { Caller } from "./service.ts";

const QUERIES = ["", "?history=1", "?as_of=2026-06-01T00:00:00Z", "?from=2025-01-01T00:00:00Z&to=2026-06-01T00:00:00Z"];

/** A profile by the victim's name, or by what is no name. */
function profile({ random, victim }: Aim, caller: Caller, asked: { query?: string; init?: RequestInit }): Probe {
  const isHostile = victim.userId === "" || random.next() < 0.05;
  const name = isHostile ? random.pick(HOSTILE_PATHS) : encodeURIComponent(victim.userId);
  const { query = "", ...init } = asked;
  return {
    caller,
    reader: readerOf(caller),
    path: `/v1/profiles/${name}${query}`,
    ...init,
    // A namesake elsewhere has a profile of their own; a key of a whole tenant may ask for each user of it. What they see must be theirs.
    isAimed: caller.userId !== "" && encodeURIComponent(caller.userId) !== name,
    kinds: [],
  };
}

export const profileProbes: Readonly<Record<string, ProbeMaker>> = {
  readProfile: {
    weight: 6,
    make: (aim) => {
      const { random, callers, victim } = aim;
      const strangers = [...callers.owners, ...callers.attackers].filter(
        (caller) => !mayRead(readerOf(caller), victim),
      );
      const namesakes = strangers.filter(({ userId }) => userId === victim.userId);
      const isNamesake = namesakes.length > 0 && random.next() < 0.4;
      return profile(aim, random.pick(isNamesake ? namesakes : strangers), { query: random.pick(QUERIES) });
    },
  },
  putProfile: {
    weight: 1,
    make: (aim) => {
      const body = {
        facts: [{ key: "vault", value: "There is no code any more, says somebody else." }],
        replace: true,
      };
      return profile(aim, aim.random.pick(aim.callers.attackers), { init: json(body, "PUT") });
    },
  },
};
