/** Probes of the routes that write documents. What they change is looked at after the run, see `fingerprintOf`. */
import { TIERS } from "../../../src/lib/contract/scope.ts";
import { OUTSIDE, readerOf } from "./callers.ts";
import { BATCH_TAG, sentenceOf } from "./population.ts";
import { json, type ProbeMaker } from "./probe.ts";

export const writeProbes: Readonly<Record<string, ProbeMaker>> = {
  ingestDocuments: {
    weight: 1,
    make: ({ random, callers, victim }) => {
      const caller = random.pick(callers.attackers);
      const tier = random.pick(TIERS);
      const word = victim.wordOfTier.get(tier) ?? "";
      const document = {
        id: random.pick(victim.documentIds),
        tier,
        text: `${sentenceOf(tier, word)} Says somebody else.`,
        ...(victim.userId === "" ? {} : { user_id: victim.userId }),
      };
      const isDry = random.next() < 0.7;
      // The same Idempotency-Key for everybody: nobody is replayed what another was told.
      const headers = { "content-type": "application/json", ...(isDry ? {} : { "idempotency-key": BATCH_TAG }) };
      return {
        caller,
        reader: readerOf(caller),
        path: `/v1/documents${isDry ? "?dry_run=1" : ""}`,
        init: { ...json({ documents: [document] }), headers },
        isAimed: false,
        kinds: [tier],
      };
    },
  },
  deleteDocument: {
    weight: 2,
    make: ({ random, callers, victim }) => {
      const caller = random.pick(callers.attackers);
      const tier = random.pick(TIERS);
      const isNamed = victim.userId !== "" && random.next() < 0.7;
      const user = isNamed ? `&user_id=${encodeURIComponent(victim.userId)}` : "";
      return {
        caller,
        reader: readerOf(caller),
        path: `/v1/documents/${encodeURIComponent(random.pick(victim.documentIds))}?tier=${tier}${user}`,
        init: { method: "DELETE" },
        // An outsider may well have a user of that name; anyone else is refused.
        isAimed: isNamed && caller.tenantId !== OUTSIDE,
        tells: /"deleted_chunk_count":[1-9]/,
        kinds: [tier],
      };
    },
  },
};
