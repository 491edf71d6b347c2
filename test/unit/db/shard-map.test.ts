import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HOME_SHARD, shardMapSchema, shardOf, SLOTS, slotOf } from "../../../src/lib/db/shard-map.ts";

const URL_B = "postgresql://jeeves_app:b@b.example/jeeves";
const URL_C = "postgresql://jeeves_app:c@c.example/jeeves";

const tenantIds = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,20}$/);

describe("shard map", () => {
  it("puts each tenant on the one shard that has its slot, and the rest at home", () => {
    const map = shardMapSchema.parse({
      shards: { b: { database_url: URL_B, slots: [[0, 63]] }, c: { database_url: URL_C, slots: [[64, 127]] } },
    });
    fc.assert(
      fc.property(tenantIds, (tenantId) => {
        const slot = slotOf(tenantId);
        expect(slot).toBeLessThan(SLOTS);
        expect(shardOf(map, tenantId)).toBe(slot < 64 ? "b" : slot < 128 ? "c" : HOME_SHARD);
      }),
    );
  });

  it("lets a name win over a slot, also back to home, whatever the tenant is called", () => {
    const map = shardMapSchema.parse({
      shards: { b: { database_url: URL_B, slots: [[0, SLOTS - 1]] } },
      tenants: { acme: HOME_SHARD },
    });
    expect(shardOf(map, "acme")).toBe(HOME_SHARD);
    expect(shardOf(map, "constructor")).toBe("b");
  });

  it("spreads tenants over slots within a fifth of evenness", () => {
    const counts = { low: 0, high: 0 };
    for (let index = 0; index < 4_000; index++) counts[slotOf(`tenant-${index}`) < SLOTS / 2 ? "low" : "high"]++;
    expect(counts.low / counts.high).toBeGreaterThan(0.8);
    expect(counts.low / counts.high).toBeLessThan(1.25);
  });

  it.each([
    [
      "two shards with one slot",
      { shards: { b: { database_url: URL_B, slots: [[0, 9]] }, c: { database_url: URL_C, slots: [[9, 20]] } } },
    ],
    ["a stretch that ends before it begins", { shards: { b: { database_url: URL_B, slots: [[9, 0]] } } }],
    ["a slot that does not exist", { shards: { b: { database_url: URL_B, slots: [[0, SLOTS]] } } }],
    ["a tenant on a shard that is not declared", { shards: {}, tenants: { acme: "b" } }],
    ["a shard called home", { shards: { home: { database_url: URL_B } } }],
    ["a database that is none", { shards: { b: { database_url: "https://b.example" } } }],
  ])("refuses %s", (_, map) => {
    expect(shardMapSchema.safeParse(map).success).toBe(false);
  });
});
