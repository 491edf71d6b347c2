/** Documents that were deleted after the backup from which a database is restored. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { documentUid, versionKey } from "../../src/lib/base/document-uid.ts";
import type { DocumentInput } from "../../src/lib/contract/document.ts";
import { tenantPolicySchema } from "../../src/lib/contract/policy.ts";
import { FULLS_KEPT } from "../../src/lib/flows/backups/expire-backups.ts";
import { deletionKey, recordDeletion } from "../../src/lib/flows/deletions/deletion-record.ts";
import { eraseDocument, type DocumentName } from "../../src/lib/flows/deletions/erase-document.ts";
import { eraseEvent } from "../../src/lib/flows/sessions/erase-event.ts";
import { eraseSession } from "../../src/lib/flows/sessions/erase-session.ts";
import { expectOk, rowsIn, statement, type TestDatabase } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { backUp, openRestored, sweepAll } from "./support/backups.ts";
import { CrashPoint } from "./support/crashing.ts";
import { erasureContext, Logs } from "./support/erasures.ts";
import { openWorld, principalOf, type World } from "./support/world.ts";

const backends = await availableBackends(["pglite", "native"]);
const CALLS_MAX = 20;
/** Texts that differ in their names alone are no duplicates. */
const POLICY = tenantPolicySchema.parse({ duplicates: { near: false } });

let tenantCount = 0;
async function newTenant(world: World, name?: string): Promise<string> {
  tenantCount += 1;
  const tenantId = name ?? `deleting-${tenantCount}`;
  const insert = statement("insert into tenants (tenant_id) values ($1)", tenantId);
  expectOk(await world.database.ownerSql.transaction({ tenantId, userId: "*" }, [insert]));
  return tenantId;
}

async function send(
  world: World,
  tenantId: string,
  names: readonly string[],
  more: Partial<DocumentInput> = {},
): Promise<void> {
  const text = (id: string): string => `The token of ${id} is in the boundary layer of the jet, and stays there.`;
  await world.ingest(
    tenantId,
    names.map((id) => ({ id, text: text(id), ...more })),
    { policy: POLICY },
  );
  await world.indexQueued();
}

async function remove(
  world: World,
  tenantId: string,
  documentId: string,
  more: Partial<DocumentName> = {},
): Promise<void> {
  const name = { documentId, tier: "doc", userId: "", ...more } as const;
  expectOk(await eraseDocument(world.context(), principalOf(tenantId), name));
}

async function recordsOf(world: World, tenantId: string): Promise<readonly string[]> {
  return (await world.bucket.list({ prefix: `deletions/${tenantId}/` })).objects.map(({ key }) => key);
}

describe.each(backends)("a document that was deleted after the backup, on %s", (backend) => {
  let world: World;
  const opened: TestDatabase[] = [];
  beforeAll(async () => {
    world = await openWorld(backend);
    // Records of deletions have the Worker's clock, marks of backups the database's: here as in production they agree.
    world.nowMs = Date.now();
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((each) => each.close()));
  });
  afterAll(() => world?.close());

  async function restored(): ReturnType<typeof openRestored> {
    const database = await openRestored(world, backend);
    opened.push(database);
    expect(database.report).toMatchObject({ state: "done", damaged: [] });
    return database;
  }

  /** Documents that are there, with how many chunks each has. */
  async function living(database: TestDatabase, tenantId: string): Promise<readonly string[]> {
    const text = `select d.document_id || ' ' || d.user_id || ' ' || count(e.*) as name from documents d
      left join doc_embeddings e on e.tenant_id = d.tenant_id and e.document_uid = d.document_uid
      where d.tenant_id = $1 and d.deleted_at is null group by d.document_id, d.user_id order by 1`;
    const rows = await rowsIn(database.sql, { tenantId, userId: "*" }, statement(text, tenantId));
    return rows.map((row) => String(row["name"]));
  }

  async function countOf(database: TestDatabase, tenantId: string, table: string): Promise<number> {
    const text = `select count(*)::int as n from ${table} where tenant_id = $1`;
    const [row] = await rowsIn(database.sql, { tenantId, userId: "*" }, statement(text, tenantId));
    return Number(row?.["n"]);
  }

  it("stays deleted, whether the backup or the WAL alone has it; what was sent after the deletion stays", async () => {
    const tenantId = await newTenant(world);
    await send(world, tenantId, ["kept", "backed", "again", "late"]);
    await send(world, tenantId, ["anns"], { user_id: "ann" });
    await backUp(world);
    await send(world, tenantId, ["only-wal", "wal-again"]);
    await send(world, tenantId, ["late"]);
    for (const id of ["backed", "again", "only-wal", "wal-again", "late"]) await remove(world, tenantId, id);
    await remove(world, tenantId, "anns", { userId: "ann" });
    await send(world, tenantId, ["again", "wal-again"]);
    const database = await restored();
    expect(await living(database, tenantId)).toEqual(["kept  1"]);
    await sweepAll(world, database);
    expect(await living(database, tenantId)).toEqual(["again  1", "kept  1", "wal-again  1"]);
    expect(await living(world.database, tenantId)).toEqual(await living(database, tenantId));
    for (const table of ["doc_embeddings", "document_signatures", "signature_bands"])
      expect(await countOf(database, tenantId, table), table).toBe(await countOf(world.database, tenantId, table));
  });

  it("stays where the backup already has the version that came after its deletion", async () => {
    const tenantId = await newTenant(world);
    await send(world, tenantId, ["a"]);
    await remove(world, tenantId, "a");
    await send(world, tenantId, ["a"]);
    await backUp(world);
    const database = await restored();
    expect(await living(database, tenantId)).toEqual(["a  1"]);
    await sweepAll(world, database);
    expect(await living(database, tenantId)).toEqual(["a  1"]);
  });

  it("can be deleted again by its user, and sent again, though the restored database did not know its names", async () => {
    const tenantId = await newTenant(world);
    await backUp(world);
    await send(world, tenantId, ["a", "b"], { user_id: "ann" });
    for (const id of ["a", "b"]) await remove(world, tenantId, id, { userId: "ann" });
    const database = await restored();
    const context = { ...world.context(), sql: database.sql };
    const bound = { ...principalOf(tenantId), userId: "ann" };
    const name = { documentId: "a", tier: "doc", userId: "ann" } as const;
    expect(expectOk(await eraseDocument(context, bound, name))).toEqual({ existed: true, deleted_chunk_count: 0 });
    await send(world, tenantId, ["b"], { user_id: "ann" });
    await sweepAll(world, database);
    expect(await living(database, tenantId)).toEqual(["b ann 1"]);
    const names = statement(
      "select document_id, user_id, tier from documents where tenant_id = $1 order by 1",
      tenantId,
    );
    const ann = { tenantId, userId: "ann" };
    expect(await rowsIn(database.sql, ann, names)).toEqual(
      ["a", "b"].map((id) => ({ document_id: id, user_id: "ann", tier: "doc" })),
    );
  });

  it("stays deleted where it is an event of a session, and with its whole session", async () => {
    const tenantId = await newTenant(world);
    const logs = new Logs();
    const session = { tenantId, userId: "ann", sessionId: "talk" };
    await logs.open(world, session, 3);
    await logs.open(world, { ...session, sessionId: "gone" }, 2);
    const event = { tier: "event", user_id: "ann" } as const;
    await send(world, tenantId, ["talk/1", "talk/2", "gone/1"], event);
    await backUp(world);
    await send(world, tenantId, ["talk/3", "gone/2"], event);
    const context = erasureContext(world, logs);
    const sessionLog = () => ({ eraseEvent: async () => ({ erased: true }) });
    for (const documentId of ["talk/1", "talk/3"]) {
      const name = { documentId, tier: "event", userId: "ann" } as const;
      expectOk(await eraseEvent({ ...context, sessionLog }, principalOf(tenantId), name));
    }
    expect(expectOk(await eraseSession(context, { ...session, sessionId: "gone" }))).toMatchObject({ done: true });
    const database = await restored();
    await sweepAll(world, database);
    expect(await living(database, tenantId)).toEqual(["talk/2 ann 1"]);
  });

  it("stays deleted where its tenant is younger than the backup; and no tenant is left out whose name begins another's", async () => {
    const [short, long] = [await newTenant(world, "twin"), await newTenant(world, "twin-2")];
    for (const tenantId of [short, long]) await send(world, tenantId, ["a", "b"]);
    await backUp(world);
    const young = await newTenant(world);
    await send(world, young, ["a", "b"]);
    for (const tenantId of [young, short, long]) await remove(world, tenantId, "a");
    const database = await restored();
    for (const tenantId of [short, long]) expect(await living(database, tenantId), tenantId).toEqual(["b  1"]);
    await sweepAll(world, database);
    for (const tenantId of [young, short, long]) expect(await living(database, tenantId), tenantId).toEqual(["b  1"]);
  });

  it("has a record by its hash, without its id, user or text, and none of a deletion that R2 refused", async () => {
    const tenantId = await newTenant(world);
    await send(world, tenantId, ["secret-id"], { user_id: "secret-user" });
    const name = { documentId: "secret-id", tier: "doc", userId: "secret-user" } as const;
    const refusing = new Proxy(world.bucket, {
      get: (bucket: R2Bucket, property) =>
        property === "put" ? () => Promise.reject(new Error("R2 is down")) : Reflect.get(bucket, property),
    });
    const before = await living(world.database, tenantId);
    const refused = await eraseDocument({ ...world.context(), bucket: refusing }, principalOf(tenantId), name);
    expect(refused).toMatchObject({ ok: false, error: { code: "storage_unavailable" } });
    expect(await living(world.database, tenantId)).toEqual(before);
    await remove(world, tenantId, "secret-id", { userId: "secret-user" });
    const [key = "", ...more] = await recordsOf(world, tenantId);
    expect(more).toEqual([]);
    const text = (await (await world.bucket.get(key))?.text()) ?? "";
    expect(JSON.parse(text)).toMatchObject({ version: 1, document_uids: [documentUid({ tenantId, ...name })] });
    expect(`${key}${text}`).not.toContain("secret");
  });

  it("is deleted once the request is repeated, whatever await it crashed at, and never before its record is there", async () => {
    const tenantId = await newTenant(world);
    await send(
      world,
      tenantId,
      Array.from({ length: CALLS_MAX }, (_, index) => `d${index}`),
    );
    await backUp(world);
    let isThrough = false;
    for (let index = 0; index < CALLS_MAX && !isThrough; index += 1) {
      const crash = new CrashPoint({ callIndex: Math.floor(index / 2), moment: index % 2 === 0 ? "before" : "after" });
      const name = { documentId: `d${index}`, tier: "doc", userId: "" } as const;
      const count = (await recordsOf(world, tenantId)).length;
      await eraseDocument(world.context(crash), principalOf(tenantId), name).catch((error: unknown) => {
        if (!crash.hasCrashed) throw error;
      });
      isThrough = !crash.hasCrashed;
      const isGone = !(await living(world.database, tenantId)).includes(`d${index}  1`);
      if (isGone) expect((await recordsOf(world, tenantId)).length).toBe(count + 1);
      await remove(world, tenantId, `d${index}`);
    }
    expect(isThrough).toBe(true);
    const database = await restored();
    await sweepAll(world, database);
    expect(await living(database, tenantId)).toEqual(await living(world.database, tenantId));
  });

  it("stays deleted behind more records than are read at once", { timeout: 60_000 }, async () => {
    const tenantId = await newTenant(world);
    await send(world, tenantId, ["a", "b"]);
    await backUp(world);
    const context = world.context();
    for (let index = 0; index < 501; index += 1) {
      const uid = documentUid({ tenantId, userId: "", tier: "doc", documentId: `unknown-${index}` });
      const deletion = { tenantId, documentUids: [uid], deletedBefore: versionKey(context.newUlid(), 0) };
      expectOk(await recordDeletion(context, deletion));
    }
    await world.bucket.put(deletionKey(tenantId, context.newUlid()), "no record");
    await remove(world, tenantId, "b");
    const database = await restored();
    expect(await living(database, tenantId)).toEqual(["a  1"]);
    expect(await countOf(database, tenantId, "documents")).toBe(503);
  });
});

describe("the record of a deletion", () => {
  it("is kept as long as a backup from before the deletion", async () => {
    const world = await openWorld();
    const tenantId = await newTenant(world, "remembered");
    await send(world, tenantId, ["a", "b"]);
    await remove(world, tenantId, "a");
    const [first] = await recordsOf(world, tenantId);
    await backUp(world, { afterHours: 8 * 24 });
    await remove(world, tenantId, "b");
    const [second, ...older] = await recordsOf(world, tenantId);
    expect(older).toEqual([]);
    for (let week = 1; week < FULLS_KEPT; week += 1) await backUp(world, { afterHours: 7 * 24 });
    expect(await recordsOf(world, tenantId)).toEqual([second]);
    await backUp(world, { afterHours: 7 * 24 });
    expect(await recordsOf(world, tenantId)).toEqual([]);
    expect(first).not.toBe(second);
    await world.close();
  });
});
