import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DEFAULT_POLICY } from "../../src/lib/contract/policy.ts";
import { putProfileSchema } from "../../src/lib/contract/profile.ts";
import { putProfile } from "../../src/lib/flows/profiles/put-profile.ts";
import { compareProfile, listProfileHistory, readProfile } from "../../src/lib/flows/profiles/read-profile.ts";
import { expectOk } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { day, TenantProfiles } from "./support/tenant-profiles.ts";
import { openWorld, principalOf, type World } from "./support/world.ts";

/** PGlite, PostgreSQL 18 with pgvector and PostgreSQL 15 without it. */
const BACKENDS = await availableBackends(["pglite", "native", "debian"]);

describe.each(BACKENDS)("on %s", (backend) => {
  let world: World;
  let profiles: TenantProfiles;
  let tenantCount = 0;

  beforeAll(async () => {
    world = await openWorld(backend);
  });
  afterAll(() => world?.close());
  beforeEach(() => {
    profiles = new TenantProfiles(world, `profiles-${(tenantCount += 1)}`);
    world.take();
  });

  describe("changing a profile", () => {
    it("stores facts with versions, and they are found once indexed", async () => {
      const reply = expectOk(
        await profiles.put([
          { key: "home_city", value: "Paris", source: "onboarding", observed_at: day(1) },
          { key: "employer", value: "Acme" },
        ]),
      );
      expect(reply).toMatchObject({
        version: 1,
        refused: [],
        facts: [{ key: "home_city", version: 1, change: "set" }, {}],
      });
      expect(reply.token).toBeDefined();
      await profiles.indexAll();
      expect(await profiles.searchable()).toEqual(["employer: Acme", "home_city: Paris"]);
      const { facts } = expectOk(await profiles.read());
      expect(facts[1]).toMatchObject({
        key: "home_city",
        value: "Paris",
        source: "onboarding",
        observed_at: day(1),
        version: 1,
      });
      const [row] = await world.rows(
        profiles.tenant,
        "select tier, series, metadata, document_id, user_id from documents where document_id like '%home_city%'",
      );
      expect(row).toEqual({
        tier: "profile",
        series: "profile/ann/home_city",
        metadata: { fact_key: "home_city", version: 1, source: "onboarding" },
        document_id: "profile/home_city/1",
        user_id: "ann",
      });
      const [ledger] = await world.rows(
        profiles.tenant,
        "select count(*)::int as n from wal_ledger where wal_id = $1",
        reply.token,
      );
      expect(ledger).toEqual({ n: 1 });
    });

    it("changes nothing and makes no version for what says nothing new", async () => {
      expectOk(await profiles.put([{ key: "city", value: "Paris", observed_at: day(2) }]));
      world.take();
      for (const fact of [{}, { observed_at: day(9) }, { source: "profile" }]) {
        const again = expectOk(await profiles.put([{ key: "city", value: "Paris", ...fact }]));
        expect(again).toMatchObject({ version: 1, facts: [{ version: 1, change: "unchanged" }] });
        expect(again.token).toBeUndefined();
      }
      expect(expectOk(await profiles.put([{ key: "never", removed: true }])).version).toBe(1);
      expect(world.take()).toEqual([]);
    });

    it("ends a fact that changes, comes back and is removed, now and as of any time", async () => {
      expectOk(await profiles.put([{ key: "city", value: "Paris", observed_at: day(2) }]));
      expectOk(await profiles.put([{ key: "city", value: "Rome", observed_at: day(4) }]));
      expectOk(await profiles.put([{ key: "city", value: "Paris", observed_at: day(6) }]));
      expectOk(await profiles.put([{ key: "city", removed: true, observed_at: day(8) }]));
      await profiles.indexAll();
      const expected: [string | null, string[]][] = [
        [day(1), []],
        [day(3), ["city: Paris"]],
        [day(5), ["city: Rome"]],
        [day(7), ["city: Paris"]],
        [day(9), []],
        [null, []],
      ];
      for (const [asOf, texts] of expected) {
        expect(await profiles.searchable(asOf)).toEqual(texts);
        expect(Object.values(await profiles.valuesAt(asOf))).toEqual(texts.map((text) => text.slice("city: ".length)));
      }
    });

    it("removes what is not named when asked to replace, but not what is refused", async () => {
      expectOk(
        await profiles.put([
          { key: "a", value: "one" },
          { key: "b", value: "two" },
          { key: "c", value: "three" },
        ]),
      );
      const reply = expectOk(
        await profiles.put(
          [
            { key: "a", value: "one" },
            { key: "b", value: "new", observed_at: "2999-01-01T00:00:00Z" },
          ],
          { replace: true },
        ),
      );
      expect(reply.refused).toMatchObject([{ key: "b", reasons: [{ code: "occurred_at_in_future" }] }]);
      expect(await profiles.valuesAt()).toEqual({ a: "one", b: "two" });
    });

    it("redacts before anything is stored, and names what it refuses while the others go in", async () => {
      const policy = structuredClone(DEFAULT_POLICY);
      policy.pii.actions = { ...policy.pii.actions, EMAIL_ADDRESS: "redact", CREDIT_CARD: "reject" };
      const body = putProfileSchema.parse({
        facts: [
          { key: "mail", value: "write to wing.person@example.org" },
          { key: "card", value: "4111 1111 1111 1111" },
        ],
      });
      const change = { userId: "ann", body, ifVersion: null, requestId: "test" };
      const reply = expectOk(await putProfile(world.context(), principalOf(profiles.tenant, policy), change));
      expect(reply.refused).toMatchObject([{ key: "card", reasons: [{ code: "pii_rejected" }] }]);
      expect(await profiles.valuesAt()).toEqual({ mail: "write to [EMAIL_ADDRESS_1]" });
      const stored = JSON.stringify(await world.rows(profiles.tenant, "select value, outbox from profiles"));
      expect(stored).not.toMatch(/wing\.person|4111/);
      const again = expectOk(await putProfile(world.context(), principalOf(profiles.tenant, policy), change));
      expect(again.version).toBe(1);
    });

    it("lets a change through only from the version it was made for", async () => {
      expectOk(await profiles.put([{ key: "a", value: "one" }], { ifVersion: 0 }));
      expect(await profiles.put([{ key: "a", value: "two" }], { ifVersion: 0 })).toMatchObject({
        ok: false,
        error: { code: "conflict" },
      });
      expect(expectOk(await profiles.put([{ key: "a", value: "two" }], { ifVersion: 1 })).version).toBe(2);
    });

    it("gives concurrent changes one order, and loses none", async () => {
      const replies = await Promise.all(
        Array.from({ length: 6 }, (_, n) => profiles.put([{ key: `key ${n}`, value: `value ${n}` }])),
      );
      const versions = replies.map((reply) => expectOk(reply).version).sort((a, b) => a - b);
      expect(versions).toEqual([1, 2, 3, 4, 5, 6]);
      expect(Object.keys(await profiles.valuesAt())).toHaveLength(6);
      const guarded = await Promise.all(
        [1, 2].map((n) => profiles.put([{ key: "x", value: `v${n}` }], { ifVersion: 6 })),
      );
      expect(guarded.filter((reply) => reply.ok)).toHaveLength(1);
    });

    it("has at most 200 facts", async () => {
      const facts = Array.from({ length: 200 }, (_, n) => ({ key: `k${n}`, value: `v${n}` }));
      expectOk(await profiles.put(facts));
      expect(await profiles.put([{ key: "more", value: "x" }])).toMatchObject({
        ok: false,
        error: { code: "body_invalid" },
      });
      expectOk(
        await profiles.put([
          { key: "more", value: "x" },
          { key: "k0", removed: true },
        ]),
      );
    });
  });

  describe("other users and tenants", () => {
    it("are neither changed nor seen", async () => {
      expectOk(await profiles.put([{ key: "city", value: "Paris" }], { user: "ann" }));
      expectOk(await profiles.put([{ key: "city", value: "Rome" }], { user: "ann/city" }));
      expect(await profiles.put([{ key: "city", value: "Oslo" }], { user: "ann", boundTo: "bob" })).toMatchObject({
        error: { code: "user_forbidden" },
      });
      const bound = { ...principalOf(profiles.tenant), userId: "bob" };
      expect(await readProfile(world.context(), bound, { userId: "ann", asOf: null })).toMatchObject({
        error: { code: "user_forbidden" },
      });
      expect(await profiles.read(null, "bob")).toMatchObject({ error: { code: "not_found" } });
      const foreign = { ...principalOf("someone-else") };
      expect(await readProfile(world.context(), foreign, { userId: "ann", asOf: null })).toMatchObject({
        error: { code: "not_found" },
      });
      await profiles.indexAll();
      expect(await profiles.searchable()).toEqual(["city: Paris", "city: Rome"]);
    });
  });

  describe("the history", () => {
    it("has all versions, page by page, and what two times have apart", async () => {
      expectOk(
        await profiles.put([
          { key: "a", value: "1", observed_at: day(2) },
          { key: "b", value: "1", observed_at: day(2) },
        ]),
      );
      expectOk(
        await profiles.put([
          { key: "a", value: "2", observed_at: day(4) },
          { key: "c", value: "1", observed_at: day(4) },
        ]),
      );
      expectOk(await profiles.put([{ key: "b", removed: true, observed_at: day(4) }]));
      const seen: string[] = [];
      let after: string | null = null;
      do {
        const page: { next: string | null; versions: { key: string; version: number }[] } = expectOk(
          await listProfileHistory(world.context(), principalOf(profiles.tenant), { userId: "ann", after, rowsMax: 2 }),
        );
        seen.push(...page.versions.map(({ key, version }) => `${key}${version}`));
        after = page.next;
      } while (after !== null);
      expect(seen).toEqual(["a1", "b1", "a2", "c2", "b3"]);
      const times = { userId: "ann", from: day(3), to: day(5) };
      expect(expectOk(await compareProfile(world.context(), principalOf(profiles.tenant), times))).toMatchObject({
        added: [{ key: "c" }],
        changed: [{ before: { value: "1" }, after: { key: "a", value: "2" } }],
        removed: [{ key: "b" }],
      });
    });
  });
});

describe("keys of facts", () => {
  it.each(["", " ", "a/b", "../x", "a\u0000", "__proto__", "e\u0301".repeat(2), "a ", "%2e", "x".repeat(81), "\ud800"])(
    "are refused where they are no plain names (%j)",
    (key) => {
      expect(putProfileSchema.safeParse({ facts: [{ key, value: "x" }] }).success).toBe(false);
    },
  );

  it.each(["home_city", "e-mail", "好きな色", "Größe", "a.b:c", "constructor"])("may be any plain name (%j)", (key) => {
    expect(putProfileSchema.safeParse({ facts: [{ key, value: "x" }] }).success).toBe(true);
  });

  it("come once in a request", () => {
    const facts = [
      { key: "a", value: "1" },
      { key: "a", removed: true },
    ];
    expect(putProfileSchema.safeParse({ facts }).success).toBe(false);
  });
});
