import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DISTURBANCE_KINDS, PARTS, planCampaign } from "../../chaos/plan.ts";

const sizes = fc.record({ seed: fc.nat(1_000_000), kills: fc.integer({ min: 1, max: 200 }) });

describe("the plan of a campaign", () => {
  it("is the same for the same seed, and another one for another", () => {
    fc.assert(
      fc.property(sizes, (size) => {
        expect(planCampaign(size)).toEqual(planCampaign(size));
        if (size.kills > 3) expect(planCampaign({ ...size, seed: size.seed + 1 })).not.toEqual(planCampaign(size));
      }),
    );
  });

  it("has as many kills as were asked for, each part as often as the others", () => {
    fc.assert(
      fc.property(sizes, (size) => {
        const all = planCampaign(size).flatMap(({ disturbances }) => disturbances);
        const kills = all.flatMap((each) => (each.kind === "kill" ? [each.part] : []));
        expect(kills).toHaveLength(size.kills);
        const counts = PARTS.map((part) => kills.filter((killed) => killed === part).length);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("has every other kind of fault in a campaign of ten kills, all within the load of their round and in order", () => {
    fc.assert(
      fc.property(sizes, ({ seed, kills }) => {
        const rounds = planCampaign({ seed, kills: kills + 10 });
        const kinds = new Set(rounds.flatMap(({ disturbances }) => disturbances.map(({ kind }) => kind)));
        expect([...kinds].sort()).toEqual(["kill", ...DISTURBANCE_KINDS].sort());
        for (const { disturbances, loadMs } of rounds) {
          const times = disturbances.map(({ atMs }) => atMs);
          expect(times).toEqual([...times].sort((a, b) => a - b));
          expect(Math.max(...times)).toBeLessThan(loadMs);
          expect(loadMs).toBeLessThan(90_000);
        }
      }),
    );
  });
});
