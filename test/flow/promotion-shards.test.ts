import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DocumentInput } from "../../src/lib/contract/document.ts";
import { openDatabases, type Databases } from "../../src/lib/db/open-databases.ts";
import { shardMapSchema } from "../../src/lib/db/shard-map.ts";
import { indexRange } from "../../src/lib/flows/indexing/index-range.ts";
import { createModelSource } from "../../src/lib/flows/models/model-source.ts";
import { promoteModel } from "../../src/lib/flows/models/promote-model.ts";
import { registerModel } from "../../src/lib/flows/models/register-model.ts";
import { search } from "../../src/lib/flows/searching/search.ts";
import { expectOk, openTestDatabase, statement, type TestDatabase } from "../support/database.ts";
import { smallTokenizerJson } from "../unit/model/small-tokenizer.ts";
import { CrashPoint } from "./support/crashing.ts";
import { TwoModels } from "./support/two-models.ts";
import { openWorld, principalOf, type World, type WorldContext } from "./support/world.ts";

const TENANTS = ["near", "away"] as const;
const CALLS_MAX = 80;
const TEXTS = { near: "The wing of the jet in the flow.", away: "The token of the layer in the boundary." } as const;

describe("changing the active model over two databases", () => {
  let world: World;
  let second: TestDatabase;
  let databases: Databases;
  let two: TwoModels;
  let next: number;

  beforeAll(async () => {
    world = await openWorld();
    second = await openTestDatabase({ backend: "pglite" });
    const map = shardMapSchema.parse({
      shards: { b: { database_url: second.connectionString, sql_fetch_endpoint: second.endpointUrl } },
      tenants: { away: "b" },
    });
    const home = { connectionString: world.database.connectionString, fetchEndpoint: world.database.endpointUrl };
    databases = openDatabases(home, { map, timeoutMs: 20_000 });
    two = new TwoModels(world, { documentPrefix: "" });
    const registered = await registerModel(contextOf(), { embedder: two.next, activate: false });
    next = expectOk(registered).model_id;
    for (const tenantId of TENANTS) await ingest(tenantId, [{ id: "note", text: TEXTS[tenantId] }]);
    await two.reembed(contextOf());
  });
  afterAll(async () => {
    await second?.close();
    await world?.close();
  });

  /** A process that reaches both databases, and every one of whose calls may be its last. */
  function contextOf(crash = new CrashPoint(undefined)): WorldContext {
    const base = two.context(crash);
    const sql = crash.wrap(databases.sql);
    return {
      ...base,
      sql,
      databases: new Map([...databases.byShard].map(([name, each]) => [name, crash.wrap(each)])),
      models: createModelSource({ sql, clock: () => world.nowMs, readTokenizer: async () => smallTokenizerJson() }),
    };
  }

  async function ingest(tenantId: string, documents: readonly DocumentInput[]): Promise<void> {
    await world.ingest(tenantId, documents);
    for (const message of world.take()) expectOk(await indexRange(contextOf(), message));
  }

  async function activeIn(sql: Databases["sql"]): Promise<readonly number[]> {
    const rows = expectOk(await sql.query(statement("select model_id from embedding_models where state = 'active'")));
    return rows.map((row) => Number(row["model_id"]));
  }

  async function findOwn(context: WorldContext, tenantId: (typeof TENANTS)[number]): Promise<unknown> {
    const asked = { ...context, sleep: async (): Promise<void> => undefined };
    const request = { query: TEXTS[tenantId], mode: "vector" };
    const found = await search(asked, principalOf(tenantId), request);
    return expectOk(found).hits[0]?.text;
  }

  it("leaves one active model in each after a crash at any await, answers by it, and is completed by asking again", async () => {
    let [from, to] = [1, next];
    let isThrough = false;
    for (let callIndex = 0; callIndex < CALLS_MAX && !isThrough; callIndex += 1) {
      const crash = new CrashPoint({ callIndex, moment: callIndex % 2 === 0 ? "after" : "before" });
      const stale = contextOf();
      await findOwn(stale, "away");
      await promoteModel(contextOf(crash), { modelId: to, isForced: false }).catch(() => undefined);
      isThrough = !crash.hasCrashed;
      for (const sql of databases.byShard.values()) expect([[from], [to]]).toContainEqual(await activeIn(sql));
      for (const tenantId of TENANTS) {
        expect(await findOwn(stale, tenantId), `call ${callIndex}`).toBe(TEXTS[tenantId]);
        expect(await findOwn(contextOf(), tenantId), `call ${callIndex}`).toBe(TEXTS[tenantId]);
      }
      expectOk(await promoteModel(contextOf(), { modelId: to, isForced: false }));
      for (const sql of databases.byShard.values()) expect(await activeIn(sql)).toEqual([to]);
      [from, to] = [to, from];
    }
    expect(isThrough).toBe(true);
  });

  it("holds indexing in every database while it goes on, and in none when it is refused", async () => {
    const [shown] = await activeIn(databases.sql);
    await ingest("away", [{ id: "late", text: "The jet in the layer of the token." }]);
    const other = shown === 1 ? next : 1;
    const server = other === 1 ? world.embedder : two.next;
    server.outage = { code: "embedder_unavailable" };
    const refused = await promoteModel(contextOf(), { modelId: other, isForced: false });
    server.outage = undefined;
    expect(refused).toMatchObject({ ok: false, error: { code: "conflict" } });
    await ingest("away", [{ id: "later", text: "The flow in the wing of the boundary." }]);
    await ingest("near", [{ id: "later", text: "The boundary in the wing of the flow." }]);
    expectOk(await promoteModel(contextOf(), { modelId: other, isForced: false }));
  });
});
