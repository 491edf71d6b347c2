import { describe, expect, it } from "vitest";
import { z } from "zod";
import { Authenticator, FRESH_MS } from "../../src/lib/auth/authenticator.ts";
import { DEFAULT_POLICY, policyReplySchema } from "../../src/lib/contract/policy.ts";
import { findKey } from "../../src/lib/flows/keys/find-key.ts";
import { ask, makeKey, suiteEnv, suiteSql } from "./support/worker.ts";

const sql = suiteSql();
const put = (key: string, policy: unknown) =>
  ask("/v1/admin/policy", {
    method: "PUT",
    key,
    body: JSON.stringify(policy),
    headers: { "content-type": "application/json" },
  });
const policyOf = (reply: { readonly json: unknown }) => policyReplySchema.parse(reply.json);

describe("a tenant's policy", () => {
  it("is the default until it is changed, and each change has a version that is kept", async () => {
    const { key } = await makeKey("policy-a", ["admin"]);
    expect(policyOf(await ask("/v1/admin/policy", { key }))).toEqual({
      policy_version: 0,
      policy: DEFAULT_POLICY,
      effective_within_seconds: 10,
    });
    const changed = await put(key, { quarantine: { retention_days: 7 } });
    expect(policyOf(changed)).toMatchObject({ policy_version: 1, policy: { quarantine: { retention_days: 7 } } });
    expect(policyOf(await put(key, {}))).toMatchObject({ policy_version: 2, policy: DEFAULT_POLICY });
    const rows = await sql.transaction({ tenantId: "policy-a", userId: "" }, [
      { text: "select policy_version, changed_by from policy_versions order by 1", params: [] },
    ]);
    expect(rows.ok && rows.value[0]?.map((row) => row["policy_version"])).toEqual(["1", "2"]);
  });

  it.each([
    [{ quarantine: { retention_days: 0 } }, "/quarantine/retention_days"],
    [{ drift: { psi_max: "high" } }, "/drift/psi_max"],
    [{ pii: { actions: { EMAIL_ADDRESS: "forget" } } }, "/pii/actions/EMAIL_ADDRESS"],
    [{ surprise: true }, ""],
  ])("is refused with a pointer where it is wrong (%j)", async (policy, pointer) => {
    const { key } = await makeKey("policy-b", ["admin"]);
    const refused = await put(key, policy);
    expect(refused.status).toBe(422);
    expect(refused.json).toMatchObject({ code: "body_invalid", pointer });
    expect(policyOf(await ask("/v1/admin/policy", { key })).policy_version).toBe(0);
  });

  it("travels with the key: an edge has it within ten seconds, and believes its copy while Postgres is down", async () => {
    const { key: admin } = await makeKey("policy-c", ["admin"]);
    const { key } = await makeKey("policy-c", ["ingest"]);
    let nowMs = Date.now();
    let isUp = true;
    const background: Promise<unknown>[] = [];
    const authenticator = new Authenticator({
      findKey: async (hash) => (isUp ? findKey([sql], hash) : { ok: false, error: "down" }),
      copies: suiteEnv().API_KEYS,
      clock: () => nowMs,
    });
    const version = async () => {
      const principal = await authenticator.authenticate(`Bearer ${key}`, (work) => void background.push(work));
      return principal.ok ? principal.value.policyVersion : principal.error;
    };
    expect(await version()).toBe(0);
    expect((await put(admin, { gate: { enabled: false } })).status).toBe(200);
    nowMs += FRESH_MS;
    expect(await version()).toBe(1);
    await Promise.all(background.splice(0));
    isUp = false;
    nowMs += FRESH_MS + 1;
    expect(await version()).toBe(1);
  });

  it("cannot be read or changed without an admin key, nor for another tenant", async () => {
    const { key } = await makeKey("policy-d", ["ingest", "search"]);
    expect((await ask("/v1/admin/policy", { key })).body.code).toBe("scope_missing");
    expect((await put(key, {})).body.code).toBe("scope_missing");
    const { key: other } = await makeKey("policy-e", ["admin"]);
    await put(other, { gate: { enabled: false } });
    const { key: own } = await makeKey("policy-d", ["admin"]);
    expect(policyOf(await ask("/v1/admin/policy", { key: own })).policy_version).toBe(0);
    const seen = await sql.transaction({ tenantId: "policy-d", userId: "*" }, [
      { text: "select count(*)::int as foreign_rows from policy_versions", params: [] },
    ]);
    expect(z.array(z.array(z.unknown())).parse(seen.ok ? seen.value : [])[0]).toEqual([{ foreign_rows: 0 }]);
  });
});
