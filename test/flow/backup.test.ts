import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { DocumentInput } from "../../src/lib/contract/document.ts";
import { KIN_TABLES } from "../../src/lib/db/queries/backup-tables.ts";
import { eraseDocument } from "../../src/lib/flows/deletions/erase-document.ts";
import { expectOk, statement, type TestDatabase } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { rowSetHashes } from "../support/row-set-hash.ts";
import { insertSample, tablesOf } from "../support/sample-rows.ts";
import { backUp, openRestored, restoreInto } from "./support/backups.ts";
import { openWorld, principalOf, type World } from "./support/world.ts";

const backends = await availableBackends(["pglite", "jsonb", "native"]);

const textOf = (words: string, id: string): DocumentInput => ({
  id,
  title: `About ${id}`,
  text: `The ${words} of ${id} is in the boundary layer of the jet. It stays there until the ${words} has gone.`,
});

async function newTenant(world: World, tenantId: string): Promise<void> {
  const insert = statement("insert into tenants (tenant_id, display_name) values ($1, 'Tenant')", tenantId);
  expectOk(await world.database.ownerSql.transaction({ tenantId, userId: "*" }, [insert]));
}

/** A row in every table that a tenant's backup has beside its documents. */
async function fillKin(world: World, tenantId: string): Promise<void> {
  const names = new Set(KIN_TABLES.map(({ name }) => name));
  const tables = (await tablesOf(world.database.ownerSql)).filter(({ name }) => names.has(name) && name !== "tenants");
  const [document] = await world.rows(tenantId, "select document_uid from documents order by 1 limit 1");
  for (const table of tables) {
    const own: Record<string, string> =
      table.name === "model_refusals" ? { document_uid: String(document?.["document_uid"]) } : {};
    const insert = insertSample(table, { tenant_id: tenantId, user_id: "ann", ...own });
    expectOk(await world.database.ownerSql.transaction({ tenantId, userId: "*" }, [insert]));
  }
}

const opened: TestDatabase[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
});

describe.each(backends)("backup and restore on %s", (backend) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(backend);
  });
  afterAll(() => world?.close());

  async function restored(at?: string): ReturnType<typeof openRestored> {
    const database = await openRestored(world, backend, at === undefined ? {} : { at });
    opened.push(database);
    return database;
  }

  it("brings back every row of every table, and tenants that never sent anything; a second night is a delta", async () => {
    await newTenant(world, "quiet");
    await newTenant(world, "busy");
    await world.ingest(
      "busy",
      ["a", "b", "c"].map((id) => textOf("token", id)),
    );
    await world.indexQueued();
    await fillKin(world, "busy");
    expect(await backUp(world)).toMatchObject({ kind: "full", tenant_count: 2, state: "done", skipped: [] });
    const first = await rowSetHashes(world.database.ownerSql);
    const one = await restored();
    expect(one.report).toMatchObject({ state: "done", tenant_count: 2, document_count: 3, missing_document_count: 0 });
    expect(await rowSetHashes(one.ownerSql)).toEqual(first);

    await world.ingest("busy", [textOf("wing", "b"), textOf("wing", "d")]);
    await world.indexQueued();
    const erased = await eraseDocument(world.context(), principalOf("busy"), {
      documentId: "c",
      tier: "doc",
      userId: "",
    });
    expectOk(erased);
    const delta = await backUp(world, { afterHours: 24 });
    expect(delta).toMatchObject({ kind: "delta", state: "done" });
    const two = await restored();
    expect(two.report).toMatchObject({ state: "done", missing_document_count: 0, damaged: [] });
    expect(await rowSetHashes(two.ownerSql)).toEqual(await rowSetHashes(world.database.ownerSql));
  });

  it("puts nothing into a database that has rows of a tenant, and says which", async () => {
    const one = await restored();
    const before = await rowSetHashes(one.ownerSql);
    expect(await restoreInto(world, one)).toMatchObject({
      state: "failed",
      code: "tenant_not_empty",
      refused_tenants: ["busy"],
    });
    expect(await rowSetHashes(one.ownerSql)).toEqual(before);
  });
});

describe("a vector", () => {
  it("comes back to the bit: zeros of both signs, the smallest, and a component with all its digits", async () => {
    const world = await openWorld();
    await newTenant(world, "vectors");
    await world.ingest("vectors", [textOf("token", "a")]);
    await world.indexQueued();
    const change = statement(
      "update doc_embeddings set embedding = '[-0.00000001,0,0.00000006,-0.00006104,0.33325195,-1,65504,0.000030577]' where tenant_id = $1",
      "vectors",
    );
    expectOk(await world.database.ownerSql.transaction({ tenantId: "vectors", userId: "*" }, [change]));
    await backUp(world);
    const database = await openRestored(world);
    expect(await rowSetHashes(database.ownerSql)).toEqual(await rowSetHashes(world.database.ownerSql));
    await database.close();
    await world.close();
  });
});
