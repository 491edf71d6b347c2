/** Probes of the routes that show rows: receipts, quarantine, artifacts, batches. */
import { sessionBatchTag } from "../../../src/lib/session/batch-tag.ts";
import { OUTSIDE, readerOf, strangerTo } from "./callers.ts";
import { HOSTILE_PATHS } from "./hostile-ids.ts";
import { BATCH_TAG, SESSION_ID } from "./population.ts";
import type { Aim, Probe, ProbeMaker } from "./probe.ts";

/** Something of the victim by its id; now and then what is no id at all. */
function named(prefix: string, id: (aim: Aim) => string, suffix: (aim: Aim) => string = () => ""): ProbeMaker["make"] {
  return (aim) => {
    const { random, callers, victim } = aim;
    const pool = [...callers.owners, ...callers.attackers, ...callers.unbound, callers.outsideAdmin];
    const caller = strangerTo(victim, pool, random);
    const isHostile = random.next() < 0.05;
    const name = isHostile ? random.pick(HOSTILE_PATHS) : encodeURIComponent(id(aim));
    return { caller, reader: readerOf(caller), path: `${prefix}${name}${suffix(aim)}`, isAimed: true, kinds: [] };
  };
}

function listed(path: (aim: Aim) => string): ProbeMaker["make"] {
  return (aim) => {
    const { random, callers, victim } = aim;
    const pool = [...callers.owners, ...callers.attackers, ...callers.unbound, callers.outsideAdmin];
    const caller = strangerTo(victim, pool, random);
    return { caller, reader: readerOf(caller), path: path(aim), isAimed: false, kinds: [] };
  };
}

/** Artifacts have the same ids in each tenant: who has one of that name gets their own. */
function artifact(suffix: string, headers: (aim: Aim) => Record<string, string>): ProbeMaker["make"] {
  return (aim) => {
    const { random, callers, victim } = aim;
    const pool = [...callers.owners, ...callers.attackers, ...callers.unbound];
    const caller = strangerTo(victim, pool, random);
    const hasOwn = caller.tenantId !== OUTSIDE && (["", victim.userId].includes(caller.userId) || victim.userId === "");
    const id = random.next() < 0.05 ? random.pick(HOSTILE_PATHS) : victim.artifactId;
    return {
      caller,
      reader: readerOf(caller),
      path: `/v1/artifacts/${id}${suffix}`,
      init: { headers: headers(aim) },
      isAimed: !hasOwn,
      kinds: [],
    };
  };
}

/** Batches have the same name in each tenant; only who has none of that name is an outsider. */
function batch(suffix: string): ProbeMaker["make"] {
  return ({ random, callers, victim }): Probe => {
    const outsiders = [...callers.attackers.filter(({ tenantId }) => tenantId === OUTSIDE), callers.outsideAdmin];
    const caller = random.pick(outsiders);
    const tag = random.pick([BATCH_TAG, victim.walId, random.pick(HOSTILE_PATHS)]);
    return { caller, reader: readerOf(caller), path: `/v1/batches/${tag}${suffix}`, isAimed: true, kinds: [] };
  };
}

const OUTCOMES = ["indexed", "quarantined", "duplicate", "rejected"] as const;
const STATES = ["held", "released", "purged"] as const;

export const rowProbes: Readonly<Record<string, ProbeMaker>> = {
  readOwnKey: { weight: 1, make: listed(() => "/v1/key") },
  readReceipt: {
    weight: 18,
    make: named(
      "/v1/receipts/",
      ({ victim, random }) => random.pick(victim.receiptIds),
      ({ random }) => (random.next() < 0.5 ? "?verify=1" : ""),
    ),
  },
  listReceipts: {
    weight: 6,
    make: listed(({ victim, random }) => {
      const outcome = random.next() < 0.3 ? `&outcome=${random.pick(OUTCOMES)}` : "";
      const after = random.next() < 0.5 ? `&after=${random.pick(victim.receiptIds)}` : "";
      return `/v1/receipts?batch_tag=${BATCH_TAG}&limit=${random.pick([1, 10, 50])}${outcome}${after}`;
    }),
  },
  inspectQuarantined: { weight: 16, make: named("/v1/quarantine/", ({ victim }) => victim.quarantineId) },
  listQuarantine: {
    weight: 5,
    make: listed(({ victim, random }) => {
      const before = random.next() < 0.5 ? `&before=${victim.quarantineId}` : "";
      const state = random.next() < 0.5 ? `&state=${random.pick(STATES)}` : "";
      return `/v1/quarantine?limit=${random.pick([1, 10, 50])}${before}${state}`;
    }),
  },
  readArtifact: { weight: 10, make: artifact("", () => ({})) },
  readArtifactContent: {
    weight: 5,
    make: artifact("/content", ({ random, victim }) =>
      random.pick<Record<string, string>>([
        {},
        { range: "bytes=0-100" },
        { range: "bytes=-20" },
        { "if-none-match": `"${victim.artifactHash}"` },
        { range: "bytes=5-", "if-range": `"${victim.artifactHash}"` },
      ]),
    ),
  },
  listArtifacts: {
    weight: 5,
    make: listed(({ random, victim }) => {
      const after = random.next() < 0.5 ? `&after=${victim.artifactId}` : "";
      return `/v1/artifacts?limit=${random.pick([1, 20])}${after}${random.next() < 0.5 ? "&kind=segment" : ""}`;
    }),
  },
  readBatch: {
    weight: 3,
    make: (aim) => {
      if (aim.random.next() < 0.5) return batch("")(aim);
      // The batch of a session has a name that follows from those of user and session.
      const caller = aim.random.pick(aim.callers.owners);
      const tag = sessionBatchTag({ ...aim.victim, sessionId: SESSION_ID });
      return { caller, reader: readerOf(caller), path: `/v1/batches/${tag}`, isAimed: true, kinds: [] };
    },
  },
  readBatchReport: { weight: 2, make: batch("/report") },
  readBatchDrift: { weight: 2, make: batch("/drift") },
  listBatches: {
    weight: 2,
    make: ({ random, callers }) => {
      const caller = random.pick([...callers.owners, ...callers.attackers, callers.outsideAdmin]);
      // A key of one user is refused; a tenant without batches has none.
      return {
        caller,
        reader: readerOf(caller),
        path: "/v1/batches?limit=50",
        isAimed: caller.userId !== "",
        tells: /nightly/,
        kinds: [],
      };
    },
  },
};
