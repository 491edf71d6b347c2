import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HOUR_MS } from "../../src/lib/base/durations.ts";
import { KIN_TABLES, LEDGER_TABLE, NOT_BACKED, DOCUMENT_TABLES } from "../../src/lib/db/queries/backup-tables.ts";
import { insertModel } from "../../src/lib/db/queries/models.ts";
import { BACKUP_JOB } from "../../src/lib/flows/backups/backup-job.ts";
import { eraseDocument } from "../../src/lib/flows/deletions/erase-document.ts";
import { expectOk, statement } from "../support/database.ts";
import { CLOCK_COLUMNS, rowSetHashes } from "../support/row-set-hash.ts";
import { tablesOf } from "../support/sample-rows.ts";
import { backUp, backupContext, openRestored, sweepAll } from "./support/backups.ts";
import { HASH_DIMENSIONS } from "./support/hash-embedder.ts";
import { runTicked } from "./support/run-ticked.ts";
import { openWorld, principalOf, type World } from "./support/world.ts";

/** Chains of backups that are tried; SEEDS makes it more. */
const RUNS = Number(process.env["SEEDS"] ?? 3);

let world: World;
beforeAll(async () => {
  world = await openWorld();
  const model = {
    fingerprint: "test:other@1",
    modelName: "other",
    revision: "1",
    dimensions: HASH_DIMENSIONS,
    maxInputTokens: 64,
    queryPrefix: "",
    documentPrefix: "",
    info: {},
  };
  expectOk(await world.database.ownerSql.query(insertModel(model)));
});
afterAll(() => world.close());

async function ingest(tenantId: string, names: readonly string[], words: string): Promise<void> {
  const text = (id: string): string =>
    `The ${words} of ${id} is in the boundary layer of the jet. It stays until the ${words} has gone.`;
  await world.ingest(
    tenantId,
    names.map((id) => ({ id, text: text(id) })),
  );
  await world.indexQueued();
}

async function run(tenantId: string, text: string): Promise<void> {
  expectOk(await world.database.ownerSql.transaction({ tenantId, userId: "*" }, [statement(text, tenantId)]));
}

const ONE = "(select document_uid from documents where tenant_id = $1 order by random() limit 1)";
/** SQL that changes something without saying so: no `updated_at` moves, no tombstone is left. */
const CHANGES: Readonly<Record<string, string>> = {
  "a document by SQL": `update documents set pii_version = pii_version || 'x' where tenant_id = $1 and document_uid = ${ONE}`,
  "an end of a document": `update documents set valid_until = now() where tenant_id = $1 and document_uid = ${ONE}`,
  "a chunk by SQL": `update doc_embeddings set artifact_id = artifact_id || 'x', valid_until = now() where tenant_id = $1 and document_uid = ${ONE}`,
  "a vector": `update doc_embeddings set embedding = '[1,0,0,0,0,0,0,0.5]' where tenant_id = $1 and document_uid = ${ONE}`,
  "vectors of another model": `insert into doc_embeddings select (jsonb_populate_record(null::doc_embeddings, to_jsonb(e) || '{"model_id": 2}')).*
    from doc_embeddings e where tenant_id = $1 and model_id = 1 and document_uid = ${ONE} on conflict do nothing`,
  "vectors of the other model, gone": `delete from doc_embeddings where tenant_id = $1 and model_id = 2 and document_uid = ${ONE}`,
  "one chunk, gone": `delete from doc_embeddings where ctid = (select ctid from doc_embeddings where tenant_id = $1 order by random() limit 1) and tenant_id = $1`,
  "a signature": `update document_signatures set speaker = speaker || 'x' where tenant_id = $1 and document_uid = ${ONE}`,
  "a document, gone": `with gone as (select ${ONE} as document_uid), c as (delete from doc_embeddings where tenant_id = $1 and document_uid in (select document_uid from gone)),
    s as (delete from document_signatures where tenant_id = $1 and document_uid in (select document_uid from gone)),
    b as (delete from signature_bands where tenant_id = $1 and document_uid in (select document_uid from gone))
    delete from documents where tenant_id = $1 and document_uid in (select document_uid from gone)`,
  receipts: "update receipts set user_id = '*', document_uid = null where tenant_id = $1 and document_index = 0",
  batches: "delete from batches where tenant_id = $1 and indexed_count = 1",
  "the policy": `update tenants set policy = '{"retention": {"batch_days": 3}}' where tenant_id = $1`,
};

const NAMES = ["a", "b", "c", "d", "e", "f"] as const;
const changeArbitrary = fc.oneof(
  fc.record({
    names: fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1 }),
    words: fc.constantFrom("token", "wing", "flow"),
  }),
  fc.record({ erased: fc.constantFrom(...NAMES) }),
  fc.record({ sql: fc.constantFrom(...Object.keys(CHANGES)) }),
);
type Change = typeof changeArbitrary extends fc.Arbitrary<infer T> ? T : never;

async function apply(tenantId: string, change: Change): Promise<void> {
  if ("names" in change) return ingest(tenantId, change.names, change.words);
  if ("sql" in change) return run(tenantId, CHANGES[change.sql] ?? "");
  expectOk(
    await eraseDocument(world.context(), principalOf(tenantId), { documentId: change.erased, tier: "doc", userId: "" }),
  );
}

let tenantCount = 0;
async function newTenant(): Promise<string> {
  tenantCount += 1;
  const tenantId = `changing-${tenantCount}`;
  await run(tenantId, "insert into tenants (tenant_id) values ($1)");
  return tenantId;
}

describe("a chain of backups", () => {
  it("is the database as it was, whatever changed in between and however", { timeout: 300_000 }, async () => {
    const nightArbitrary = fc.array(changeArbitrary, { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.array(nightArbitrary, { minLength: 1, maxLength: 3 }), async (nights) => {
        const tenantId = await newTenant();
        await ingest(tenantId, NAMES.slice(0, 4), "first");
        await backUp(world);
        for (const changes of nights) {
          for (const change of changes) await apply(tenantId, change);
          expect(await backUp(world)).toMatchObject({ state: "done", skipped: [] });
        }
        const restored = await openRestored(world);
        expect(restored.report).toMatchObject({ state: "done", missing_document_count: 0, damaged: [] });
        expect(await rowSetHashes(restored.ownerSql)).toEqual(await rowSetHashes(world.database.ownerSql));
        await restored.close();
      }),
      { numRuns: RUNS },
    );
  });

  it("holds what did not change once: a quiet night is small", async () => {
    const tenantId = await newTenant();
    await ingest(tenantId, NAMES, "quiet");
    await backUp(world);
    const quiet = await backUp(world);
    const files = await world.bucket.list({ prefix: `backups/${quiet.backup_id}/${tenantId}/` });
    expect(files.objects.filter(({ key }) => key.endsWith(".mpz"))).toEqual([]);
  });

  it("begins anew where the mark of the last backup was written by another database", async () => {
    const tenantId = await newTenant();
    await ingest(tenantId, ["a"], "mark");
    await backUp(world);
    await run(tenantId, "update backup_marks set begun_at = begun_at where tenant_id = $1");
    const { backup_id: backupId } = await backUp(world);
    const file = await world.bucket.get(`backups/${backupId}/${tenantId}/tenant.json`);
    expect(await file?.json()).toMatchObject({ base: null });
  });
});

describe("a range that is applied while a backup is made", () => {
  it.each(["ledger-1", "documents-1", "rows-1", "tenant"])(
    "when %s is written, comes again by the sweeper: once",
    async (moment) => {
      const own = await openWorld();
      const tenantId = "racing";
      const insert = statement("insert into tenants (tenant_id) values ($1)", tenantId);
      expectOk(await own.database.ownerSql.transaction({ tenantId, userId: "*" }, [insert]));
      const send = async (names: readonly string[], words: string): Promise<void> => {
        await own.ingest(
          tenantId,
          names.map((id) => ({ id, text: `The ${words} of ${id} is in the layer of the jet.` })),
          { batchTag: "one" },
        );
        await own.indexQueued();
      };
      await send(["a", "b"], "first");
      const context = backupContext(own);
      const bucket = new Proxy(context.bucket, {
        get(target, name) {
          const member: unknown = Reflect.get(target, name);
          if (typeof member !== "function") return member;
          return async (...args: unknown[]): Promise<unknown> => {
            if (name === "put" && String(args[0]).includes(`/${tenantId}/${moment}.`)) await send(["b", "c"], "second");
            return Reflect.apply(member, target, args);
          };
        },
      });
      own.nowMs += HOUR_MS;
      const ran = expectOk(await runTicked({ ...context, bucket }, BACKUP_JOB));
      expect(ran.state).toBe("done");
      const restored = await openRestored(own);
      expect(restored.report).toMatchObject({ state: "done", missing_document_count: 0 });
      await sweepAll(own, restored);
      const without = {
        ...CLOCK_COLUMNS,
        documents: ["created_at", "updated_at", "generation"],
        doc_embeddings: ["created_at", "generation"],
      };
      expect(await rowSetHashes(restored.ownerSql, { without })).toEqual(
        await rowSetHashes(own.database.ownerSql, { without }),
      );
      await restored.close();
      await own.close();
    },
  );
});

describe("the tables of a backup", () => {
  it("are all there are, but for those that it leaves out with a reason", async () => {
    const named = [LEDGER_TABLE, ...KIN_TABLES]
      .map(({ name }) => name)
      .concat(DOCUMENT_TABLES, Object.keys(NOT_BACKED));
    const tables = (await tablesOf(world.database.ownerSql)).map(({ name }) => name);
    expect(named.toSorted()).toEqual(tables);
  });
});
