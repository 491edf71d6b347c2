import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTenant, createKey } from "../../src/lib/flows/keys/manage-keys.ts";
import { copyRegistry } from "../../src/lib/flows/models/copy-registry.ts";
import { findKey } from "../../src/lib/flows/keys/find-key.ts";
import { indexRange } from "../../src/lib/flows/indexing/index-range.ts";
import { readReceipt } from "../../src/lib/flows/batches/read-receipts.ts";
import { search } from "../../src/lib/flows/searching/search.ts";
import { sha256HexSync } from "../../src/lib/base/hash.ts";
import { createModelSource } from "../../src/lib/flows/models/model-source.ts";
import { openDatabases, type Databases } from "../../src/lib/db/open-databases.ts";
import { shardMapSchema, shardOf } from "../../src/lib/db/shard-map.ts";
import { expectError, expectOk, openTestDatabase, rowsIn, statement, type TestDatabase } from "../support/database.ts";
import { openWorld, principalOf, type World } from "./support/world.ts";

const EVERYBODY = "*";

describe("tenants over two databases", () => {
  let world: World;
  let second: TestDatabase;
  let databases: Databases;

  beforeAll(async () => {
    world = await openWorld("pglite");
    second = await openTestDatabase({ backend: "pglite" });
    const map = shardMapSchema.parse({
      shards: { b: { database_url: second.connectionString, sql_fetch_endpoint: second.endpointUrl } },
      tenants: { away: "b" },
    });
    const home = { connectionString: world.database.connectionString, fetchEndpoint: world.database.endpointUrl };
    databases = openDatabases(home, { map, timeoutMs: 20_000 });
    expect([shardOf(map, "away"), shardOf(map, "near")]).toEqual(["b", "home"]);
    expectOk(await copyRegistry(databases.byShard));
  });
  afterAll(async () => {
    await second?.close();
    await world?.close();
  });

  async function ingest(tenantId: string, text: string): Promise<string> {
    const walId = await world.ingest(tenantId, [{ id: "note", text }]);
    for (const message of world.take()) {
      const context = { ...world.context(), sql: databases.sql };
      expectOk(await indexRange(context, message));
    }
    return walId;
  }

  async function countIn(database: TestDatabase, tenantId: string): Promise<unknown> {
    const rows = await rowsIn(
      database.sql,
      { tenantId, userId: EVERYBODY },
      statement("select count(*)::int as n from doc_embeddings where tenant_id = $1", tenantId),
    );
    return rows[0]?.["n"];
  }

  it("keeps the rows of each tenant in its own database, and finds them by the same calls", async () => {
    const texts = {
      near: "The wing of the jet flows over the boundary layer in the wind tunnel today.",
      away: "The token of the layer is in the tunnel of the wind over the wing tonight.",
    };
    for (const [tenantId, text] of Object.entries(texts)) {
      const walId = await ingest(tenantId, text);
      const receipt = await readReceipt({ ...world.context(), sql: databases.sql }, principalOf(tenantId), {
        id: `${walId}-0`,
        verify: true,
      });
      expect(expectOk(receipt)).toMatchObject({ outcome: "indexed" });
    }
    expect(await countIn(world.database, "near")).toBeGreaterThan(0);
    expect(await countIn(world.database, "away")).toBe(0);
    expect(await countIn(second, "near")).toBe(0);
    expect(await countIn(second, "away")).toBeGreaterThan(0);
    for (const [tenantId, text] of Object.entries(texts)) {
      const context = { ...world.context(), sql: databases.sql, sleep: async (): Promise<void> => undefined };
      const found = expectOk(await search(context, principalOf(tenantId), { query: "wind tunnel" }));
      expect(found.hits.map((hit) => hit.text)).toEqual([text]);
    }
  });

  it("finds a key wherever its tenant lies, and says nothing of an unknown one while a database is silent", async () => {
    const made: Record<string, string> = {};
    for (const tenantId of ["near", "away"]) {
      expectOk(await createTenant(databases.sql, tenantId, tenantId));
      const context = {
        sql: databases.sql,
        newId: world.context().newUlid,
        clock: () => world.nowMs,
        fillRandom: (bytes: Uint8Array<ArrayBuffer>): void => void crypto.getRandomValues(bytes),
      };
      const request = { tenantId, userId: "", scopes: ["search" as const], label: "", expiresAtMs: null };
      made[tenantId] = expectOk(await createKey(context, request)).key;
    }
    for (const [tenantId, key] of Object.entries(made)) {
      const record = expectOk(await findKey(databases.byShard.values(), sha256HexSync(key)));
      expect(record?.tenant_id).toBe(tenantId);
    }
    const unknown = sha256HexSync("nobody");
    expect(expectOk(await findKey(databases.byShard.values(), unknown))).toBeUndefined();
    const silent = openDatabases(
      { connectionString: world.database.connectionString, fetchEndpoint: "http://127.0.0.1:9/sql" },
      { timeoutMs: 2_000 },
    ).sql;
    const half = [silent, second.sql];
    expect(expectOk(await findKey(half, sha256HexSync(made["away"] ?? "")))?.tenant_id).toBe("away");
    expect(expectError(await findKey(half, unknown)).code).toBe("database_unavailable");
  });

  it("has the same models under the same numbers everywhere, also after the active one changed", async () => {
    const registry = "select model_id, fingerprint, state from embedding_models order by model_id";
    const inserted = `insert into embedding_models (fingerprint, model_name, revision, dimensions, max_input_tokens, state)
      values ('next', 'next', '1', 8, 64, 'shadow')`;
    const owner = world.database.ownerSql;
    expectOk(await owner.query(statement(inserted)));
    expectOk(await owner.query(statement("update embedding_models set state = 'retired' where state = 'active'")));
    expectOk(await owner.query(statement("update embedding_models set state = 'active' where fingerprint = 'next'")));
    expectOk(await copyRegistry(databases.byShard));
    expectOk(await copyRegistry(databases.byShard));
    expect(expectOk(await second.ownerSql.query(statement(registry)))).toEqual(
      expectOk(await owner.query(statement(registry))),
    );
    const models = createModelSource({
      sql: databases.sql,
      clock: () => world.nowMs,
      readTokenizer: async () => null,
    });
    expect(expectOk(await models.active()).fingerprint).toBe("next");
  });
});
