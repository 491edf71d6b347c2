import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { insertModel } from "../../src/lib/db/queries/models.ts";
import {
  selectPackOfVersion,
  selectPacks,
  selectUnpackedDocuments,
  selectWalStates,
} from "../../src/lib/db/queries/packs.ts";
import type { Statement } from "../../src/lib/db/sql.ts";
import { expectOk, openTestDatabase, rowsIn, statement, type TestDatabase } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";

const backends = await availableBackends(["pglite", "native"]);
const ROWS = 5_000;
const SCOPE = { tenantId: "alpha", userId: "*" };

describe.each(backends)("statements of the pack job, on %s", (backend) => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await openTestDatabase({ backend });
    const each = `from generate_series(1, ${ROWS}) i`;
    const model = { fingerprint: "f", modelName: "m", revision: "1", dimensions: 1, maxInputTokens: 8 };
    expectOk(await database.ownerSql.query(insertModel({ ...model, queryPrefix: "", documentPrefix: "", info: {} })));
    expectOk(
      await database.sql.transaction(SCOPE, [
        statement(`insert into documents (tenant_id, document_uid, document_id, tier, content_hash, model_id, version_key, batch_tag, wal_key,
          wal_id, document_index) select 'alpha', md5(i::text)::uuid, 'd' || i, 'doc', '', 1, 'v', 'b', 'k', 'w' || i, 0 ${each}`),
        statement(`insert into wal_ledger (tenant_id, wal_id, range_index, batch_tag, state, document_count)
          select 'alpha', 'w' || i, 0, 'b', 'applied', 1 ${each}`),
        statement(`insert into receipts (tenant_id, wal_id, document_index, batch_tag, document_id, outcome, version_key)
          select 'alpha', 'w' || i, 0, 'b', 'd' || i, 'quarantined', 'v' ${each}`),
        statement(`insert into quarantine (tenant_id, quarantine_id, document_id, batch_tag, reasons, object_key, size_bytes)
          select 'alpha', 'w' || i || '-0', 'd' || i, 'b', '[]', 'o', 1 ${each}`),
        statement(`insert into artifacts (tenant_id, artifact_id, kind, object_key, media_type, size_bytes, sha256, record_count)
          values ('alpha', 'p', 'pack', 'packs/p', 'm', 1, sha256(''), ${ROWS})`),
        statement(`insert into artifact_members (tenant_id, artifact_id, position, document_uid, wal_id, document_index)
          select 'alpha', 'p', i, md5(i::text)::uuid, 'w' || i, 0 ${each} where i % 2 = 0`),
      ]),
    );
    expectOk(await database.ownerSql.query(statement("analyze")));
  });
  afterAll(() => database.close());

  async function planOf({ text, params }: Statement): Promise<string> {
    const rows = await rowsIn(database.sql, SCOPE, { text: `explain ${text}`, params });
    return rows.map((row) => String(row["QUERY PLAN"])).join("\n");
  }

  it.each([
    ["how far WAL objects are", () => selectWalStates("alpha", ["w1", "w2"])],
    ["what is in no pack", () => selectUnpackedDocuments("alpha", ["w1", "w2"])],
    ["which pack has a version", () => selectPackOfVersion("alpha", { walId: "w2", documentIndex: 0 })],
  ])("go by keys, never through all rows of a tenant: %s", async (_, make) => {
    expect(await planOf(make())).not.toMatch(/Seq Scan on (documents|quarantine|receipts|wal_ledger|artifact_members)/);
  });

  it("count what is undecided, what is in no pack, and what of a pack holds", async () => {
    const states = await rowsIn(database.sql, SCOPE, selectWalStates("alpha", ["w1", "w2", "unknown"]));
    const state = { applied_count: 1, dead_count: 0, undecided_count: 1, unpacked_characters: 0 };
    expect(states).toEqual([
      { ...state, wal_id: "w1", unpacked_count: 1 },
      { ...state, wal_id: "w2", unpacked_count: 0 },
      { ...state, wal_id: "unknown", applied_count: 0, undecided_count: 0, unpacked_count: 0 },
    ]);
    await rowsIn(database.sql, SCOPE, statement("update documents set deleted_at = now() where wal_id = 'w2'"));
    const packs = await rowsIn(database.sql, SCOPE, selectPacks("alpha", 10));
    expect(packs.map((pack) => Number(pack["live_count"]))).toEqual([ROWS / 2 - 1]);
  });
});
