import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tenantPolicySchema } from "../../src/lib/contract/policy.ts";
import { indexRange } from "../../src/lib/flows/indexing/index-range.ts";
import { rescanPii } from "../../src/lib/flows/reentry/rescan-pii.ts";
import { GATE_VERSION } from "../../src/lib/gate/profile.ts";
import { PII_RULES_VERSION } from "../../src/lib/pii/find-pii.ts";
import { PiiKeyring } from "../../src/lib/pii/keyring.ts";
import { importPiiKey } from "../../src/lib/pii/pii-key.ts";
import { revealText } from "../../src/lib/pii/reveal.ts";
import { expectOk } from "../support/database.ts";
import { CrashPoint } from "./support/crashing.ts";
import { openWorld, principalOf, type World } from "./support/world.ts";

/** The rules and the policy under which the documents came in: nothing was searched for. */
const NOTHING = tenantPolicySchema.parse({ pii: { enabled: false } });
const MAIL = "wing.person@example.org";
const TEXT = "The jet flows over the wing in the boundary layer of the token.";

let world: World;
let tenantCount = 0;
let tenant = "";

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());

async function indexAll(): Promise<void> {
  await world.indexQueued();
}

/** A tenant whose two documents came in under older rules, and whose policy redacts now. */
async function withOldDocuments(more: object = {}): Promise<void> {
  tenant = `rescan-${(tenantCount += 1)}`;
  const policy = JSON.stringify({ pii: { actions: { EMAIL_ADDRESS: "redact" }, ...more } });
  expectOk(
    await world.database.ownerSql.query({
      text: "insert into tenants (tenant_id, policy) values ($1, $2::jsonb)",
      params: [tenant, policy],
    }),
  );
  const documents = [
    { id: "mail", text: `${TEXT} Write to ${MAIL} about it.`, title: `About ${MAIL}` },
    { id: "plain", text: "Another token flows in the layer of the jet." },
  ];
  await world.ingest(tenant, documents, { policy: NOTHING });
  await indexAll();
  await world.rows(tenant, "update documents set pii_version = '0'");
}

const rescan = (more: object = {}, crash?: CrashPoint, piiKeys?: PiiKeyring) =>
  rescanPii({ ...world.context(crash), piiKeys }, principalOf(tenant), {
    after: null,
    limit: 100,
    dry_run: false,
    with_total: false,
    ...more,
  });
const chunks = async () =>
  (await world.rows(tenant, "select text, pii_version from doc_embeddings order by text")).map((row) => row);

describe("a rescan", () => {
  it("redacts and embeds anew what the rules of now change, and marks the rest as searched", async () => {
    await withOldDocuments();
    expect(JSON.stringify(await chunks())).toContain(MAIL);
    const reply = expectOk(await rescan());
    expect(reply).toMatchObject({
      scanned_count: 2,
      unchanged_count: 1,
      redacted_count: 1,
      failed_count: 0,
      next: null,
    });
    expect(reply.pii_counts).toEqual({ EMAIL_ADDRESS: 2 });
    await indexAll();
    const after = await chunks();
    expect(JSON.stringify(after)).not.toContain(MAIL);
    expect(JSON.stringify(after)).toContain("[EMAIL_ADDRESS_1]");
    expect(after.every((chunk) => chunk["pii_version"] === PII_RULES_VERSION)).toBe(true);
    const [document] = await world.rows(tenant, "select generation, title from documents where document_id = 'mail'");
    expect(document).toEqual({ generation: "2", title: "About [EMAIL_ADDRESS_1]" });
    expect(expectOk(await rescan())).toMatchObject({ scanned_count: 0, next: null });
  });

  it("leaves each chunk with the rules that searched it, and its receipt with the gate and the policy that let it in", async () => {
    await withOldDocuments();
    expectOk(await rescan());
    await indexAll();
    const rows = await world.rows(
      tenant,
      `select e.pii_version as chunk_pii, r.pii_version as receipt_pii, r.gate_version, r.policy_version from doc_embeddings e
       join documents d using (tenant_id, document_uid, generation) join receipts r using (tenant_id, wal_id, document_index)`,
    );
    const versions = { chunk_pii: PII_RULES_VERSION, receipt_pii: PII_RULES_VERSION, gate_version: GATE_VERSION };
    expect(rows).toHaveLength((await chunks()).length);
    for (const row of rows) expect(row).toEqual({ ...versions, policy_version: "0" });
  });

  it("goes on where it stopped, page by page", async () => {
    await withOldDocuments();
    const first = expectOk(await rescan({ limit: 1 }));
    expect(first.next).not.toBeNull();
    const second = expectOk(await rescan({ limit: 1, after: first.next }));
    expect(first.redacted_count + second.redacted_count).toBe(1);
    expect(first.unchanged_count + second.unchanged_count).toBe(1);
  });

  it("counts what is left where it is asked to, and changes nothing in a dry run", async () => {
    await withOldDocuments();
    const said = expectOk(await rescan({ dry_run: true, with_total: true, limit: 1 }));
    expect(said).toMatchObject({ dry_run: true, total_count: 2, scanned_count: 1, failed_count: 0 });
    const rest = expectOk(await rescan({ dry_run: true, with_total: true, after: said.next }));
    expect(rest).toMatchObject({ total_count: 1, scanned_count: 1 });
    expect(said.redacted_count + rest.redacted_count).toBe(1);
    expect(world.take()).toEqual([]);
    const versions = await world.rows(tenant, "select distinct pii_version, generation from documents");
    expect(versions).toEqual([{ pii_version: "0", generation: "1" }]);
    expect(expectOk(await rescan())).toMatchObject({ total_count: null, scanned_count: 2, redacted_count: 1 });
    await indexAll();
  });

  it("seals where the policy wants it, and changes nothing without the key", async () => {
    await withOldDocuments({ reversible: true });
    expect(await rescan()).toEqual({ ok: false, error: { code: "pii_key_missing" } });
    const secret = new Uint8Array(32).fill(tenantCount);
    const piiKeys = new PiiKeyring(new Map([[tenant, secret]]));
    expect(expectOk(await rescan({}, undefined, piiKeys))).toMatchObject({ redacted_count: 1, numbered_count: 0 });
    await indexAll();
    const text = JSON.stringify(await chunks());
    expect(text).not.toContain(MAIL);
    expect(text).toContain("[EMAIL_ADDRESS:v1.");
    const [document] = await world.rows(tenant, "select title from documents where document_id = 'mail'");
    const revealed = await revealText(String(document?.["title"]), [expectOk(await importPiiKey(secret))]);
    expect(revealed).toMatchObject({ text: `About ${MAIL}`, openedCount: 1 });
  });

  it("does not overwrite a version that its client sends meanwhile", async () => {
    await withOldDocuments();
    expectOk(await rescan());
    const rescanned = world.take();
    await world.ingest(tenant, [{ id: "mail", text: "The newer token flows in the layer of the wing." }]);
    await indexAll();
    for (const message of rescanned) expectOk(await indexRange(world.context(), message));
    expect(JSON.stringify(await chunks())).toContain("newer token");
    expect(JSON.stringify(await chunks())).not.toContain("EMAIL_ADDRESS");
  });

  it("survives a crash at any await: asked for again, nothing is left in clear", async () => {
    for (let callIndex = 0; ; callIndex += 1) {
      await withOldDocuments();
      const crash = new CrashPoint({ callIndex, moment: "after" });
      await rescan({}, crash).catch((error: unknown) => {
        if (!crash.hasCrashed) throw error;
      });
      expectOk(await rescan());
      await indexAll();
      expect(JSON.stringify(await chunks())).not.toContain(MAIL);
      if (!crash.hasCrashed) break;
      expect(callIndex).toBeLessThan(30);
    }
  });
});
