import { describe, expect, it } from "vitest";
import { importPiiKey } from "../../src/lib/pii/pii-key.ts";
import { revealText } from "../../src/lib/pii/reveal.ts";
import type { Env } from "../../src/workers/env.ts";
import { ask, ingest, makeKey, type Reply, suiteEnv } from "./support/worker.ts";

const TEXT = "The committee met on Tuesday and talked about the budget of the coming year, which nobody had read.";
const MAIL = "person.of.interest@example.org";
const POLICY = { pii: { actions: { EMAIL_ADDRESS: "redact" }, reversible: true } };

const secretOf = (fill: number): Uint8Array<ArrayBuffer> => new Uint8Array(32).fill(fill);

/** An environment whose operator holds a key of each tenant: 32 equal bytes. */
function envWith(fills: Readonly<Record<string, number>>): Env {
  const entries = Object.entries(fills).map(([tenantId, fill]) => [
    tenantId,
    btoa(String.fromCharCode(...secretOf(fill))),
  ]);
  return suiteEnv({ PII_KEYS: JSON.stringify(Object.fromEntries(entries)) });
}

async function reveal(text: string, fill: number) {
  const key = await importPiiKey(secretOf(fill));
  if (!key.ok) throw new Error(key.error.code);
  return revealText(text, [key.value]);
}

async function putPolicy(tenantId: string, env: Env): Promise<Reply> {
  const { key } = await makeKey(tenantId, ["admin"]);
  const headers = { "content-type": "application/json" };
  return ask("/v1/admin/policy", { method: "PUT", key, body: JSON.stringify(POLICY), headers }, env);
}

/** Everything that lies in R2 for a tenant, as text. */
async function stored(tenantId: string): Promise<string> {
  const { objects } = await suiteEnv().BUCKET.list();
  const own = objects.filter(({ key }) => key.includes(`/${tenantId}/`));
  const texts = await Promise.all(
    own.map(async ({ key }) => new TextDecoder().decode(await (await suiteEnv().BUCKET.get(key))?.arrayBuffer())),
  );
  return texts.join("\n");
}

const documents = [{ id: "a", text: `${TEXT} ${MAIL}`, title: `From ${MAIL}`, metadata: { from: MAIL } }];

describe("reversible placeholders at the edge", () => {
  it("reach R2 sealed, in text, title and metadata; the tenant's key opens them and another tenant's nothing", async () => {
    const env = envWith({ "sealing-a": 1, "sealing-b": 2 });
    expect((await putPolicy("sealing-a", env)).status).toBe(200);
    const { key } = await makeKey("sealing-a", ["ingest"]);
    expect((await ingest(key, { documents }, {}, env)).json).toMatchObject({ accepted: 1 });
    const all = await stored("sealing-a");
    expect(all).not.toContain(MAIL);
    expect(all).not.toContain("[EMAIL_ADDRESS_1]");
    expect(all.match(/\[EMAIL_ADDRESS:v1\.[0-9a-f]{8}\.[\w-]+\]/g)).toHaveLength(3);
    const opened = await reveal(all, 1);
    expect(opened).toMatchObject({ openedCount: 3, brokenCount: 0, foreignCounts: {} });
    expect(opened.text).toContain(MAIL);
    const closed = await reveal(all, 2);
    expect(closed).toMatchObject({ openedCount: 0 });
    expect(closed.text).toBe(all);
  });

  it("are the same bytes when a request comes again under its Idempotency-Key", async () => {
    const env = envWith({ "sealing-c": 3 });
    await putPolicy("sealing-c", env);
    const { key } = await makeKey("sealing-c", ["ingest"]);
    const headers = { "idempotency-key": "sealed-once" };
    const first = await ingest(key, { documents }, headers, env);
    const before = await stored("sealing-c");
    const again = await ingest(key, { documents }, headers, env);
    expect(again.json).toEqual(first.json);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(await stored("sealing-c")).toBe(before);
  });

  it("are refused as a policy where the operator holds no key of the tenant", async () => {
    const refused = await putPolicy("sealing-d", envWith({ "sealing-a": 1 }));
    expect(refused.status).toBe(422);
    expect(refused.json).toMatchObject({ code: "body_invalid", pointer: "/pii/reversible" });
  });

  it("make a request fail, and nothing is stored, when the key is gone later", async () => {
    await putPolicy("sealing-e", envWith({ "sealing-e": 5 }));
    const { key } = await makeKey("sealing-e", ["ingest", "admin"]);
    const reply = await ingest(key, { documents }, {}, suiteEnv());
    expect(reply.json).toMatchObject({ status: 503, code: "pii_key_missing" });
    const dryRun = { method: "POST", key, body: JSON.stringify({ documents }) };
    const headers = { "content-type": "application/json" };
    expect((await ask("/v1/documents?dry_run=1", { ...dryRun, headers })).body.code).toBe("pii_key_missing");
    const rescan = { method: "POST", key, body: "{}", headers };
    expect((await ask("/v1/admin/pii/rescan", rescan)).body.code).toBe("pii_key_missing");
    expect(await stored("sealing-e")).toBe("");
  });

  it("have keys that are checked at the start, and never shown", async () => {
    const error = console.error;
    console.error = () => undefined;
    try {
      const reply = await ask("/livez", {}, suiteEnv({ PII_KEYS: '{"acme":"c2VjcmV0"}' }));
      expect(reply.json).toMatchObject({ status: 500, detail: "missing or malformed variables: PII_KEYS" });
      expect(reply.text).not.toContain("c2VjcmV0");
    } finally {
      console.error = error;
    }
  });
});
