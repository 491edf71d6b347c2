import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { utf8Bytes } from "../../src/lib/base/bytes.ts";
import type { DocumentInput } from "../../src/lib/contract/document.ts";
import { currentDictionary } from "../../src/lib/flows/dictionaries/current-dictionary.ts";
import { DICTIONARY_JOB } from "../../src/lib/flows/dictionaries/dictionary-job.ts";
import { dictionaryKey } from "../../src/lib/flows/dictionaries/dictionary-object.ts";
import { removeUnneeded } from "../../src/lib/flows/dictionaries/remove-dictionaries.ts";
import { type TrainingContext, trainTenant } from "../../src/lib/flows/dictionaries/train-tenant.ts";
import { collectRecords } from "../../src/lib/flows/packs/collect-records.ts";
import { openTenantPack } from "../../src/lib/flows/packs/open-tenant-pack.ts";
import { packRecords } from "../../src/lib/flows/packs/pack-records.ts";
import { trainDictionary } from "../../src/lib/zstd/train-dictionary.ts";
import type { ZstdDictionary } from "../../src/lib/zstd/zstd-dictionary.ts";
import { expectOk, statement } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import { zstdModule } from "../support/zstd-module.ts";
import { CrashPoint } from "./support/crashing.ts";
import { eraseWhole } from "./support/erasures.ts";
import { runTicked } from "./support/run-ticked.ts";
import { openWorld, type World, type WorldContext } from "./support/world.ts";

const NOUNS =
  "boat harbour ticket jacket eagle window garden letter kitchen bridge market violin lantern meadow river engine".split(
    " ",
  );
const VERBS = "books sells repairs remembers paints borrows returns carries counts misses finds orders".split(" ");
const PLACES = "Bodø Lofoten Turin Kyoto Lisbon Tromsø Galway Ghent Porto Bergen Utrecht Leipzig".split(" ");

/** Sentences of one turn of phrase, each of its own words. */
function documentsOf(userId: string, count: number, seed: number): DocumentInput[] {
  const random = new SeededRandom(seed);
  const pick = (words: readonly string[]): string => words[random.below(words.length)] ?? "";
  const sentence = (): string =>
    `The customer ${pick(VERBS)} the ${pick(NOUNS)} near the ${pick(NOUNS)} in ${pick(PLACES)} and ${pick(VERBS)} a ${pick(NOUNS)} for the ${pick(NOUNS)}.`;
  return Array.from({ length: count }, (_, index) => ({
    id: `${userId}-${index}`,
    user_id: userId,
    source: "support",
    text: Array.from({ length: 4 }, sentence).join(" "),
    metadata: { ticket: index, channel: pick(["mail", "chat"]) },
  }));
}

const BOUNDS = { newDocumentsMin: 200, samplesMin: 8, heldOutMin: 1, servedPerDocument: 8 };
const DOCUMENTS = 256;
/** Bounds the search for the last crash point. */
const CALLS_MAX = 60;
const reportSchema = z.object({ outcomes: z.record(z.string(), z.int()), removedCount: z.int() });

const backends = await availableBackends(["pglite", "native"]);

describe.each(backends)("the dictionary of a tenant, on %s", (backend) => {
  let world: World;
  let trained: ZstdDictionary;
  beforeAll(async () => {
    world = await openWorld(backend);
    world.nowMs = Date.now();
    const samples = Array.from({ length: 400 }, (_, index) =>
      utf8Bytes(`the receipt ${index} of the segment is kept with its fingerprint and vector ${index * 7}`),
    );
    trained = expectOk(trainDictionary(zstdModule(), samples, { level: 3, bytesMax: 4_096 }));
  });
  afterAll(() => world?.close());

  async function promote(tenantId: string, dictionaryId: string): Promise<void> {
    const text =
      "insert into dictionaries (tenant_id, dictionary_id, is_current, has_object) values ($1, $2, true, true)";
    const scope = { tenantId, userId: "*" };
    expectOk(await world.database.sql.transaction(scope, [statement(text, tenantId, dictionaryId)]));
  }

  /** A training takes a second of CPU: the first one stands for those after it. */
  let first: ReturnType<typeof trainDictionary> | undefined;
  const contextOf = (crash?: CrashPoint): TrainingContext & WorldContext => ({
    ...world.context(crash),
    trainDictionary: async (samples, options) => (first ??= trainDictionary(zstdModule(), samples, options)),
  });
  const train = (tenantId: string, crash?: CrashPoint, isDryRun = false) =>
    trainTenant(contextOf(crash), tenantId, { isDryRun, bounds: BOUNDS });

  let tenantCount = 0;
  async function populated(): Promise<string> {
    tenantCount += 1;
    const tenantId = `training-${tenantCount}`;
    for (const [userId, seed] of [
      ["ann", 1],
      ["ben", 2],
    ] as const)
      await world.ingest(tenantId, documentsOf(userId, DOCUMENTS / 2, seed));
    await world.indexQueued();
    return tenantId;
  }

  /** Packs the documents of one request of the tenant with its current dictionary, and says which that was. */
  async function pack(tenantId: string): Promise<string | null> {
    const found = await world.rows(
      tenantId,
      `select d.wal_id from documents d where not exists (select from artifact_members m where m.document_uid = d.document_uid) order by 1 limit 1`,
    );
    const walIds = found.map((row) => String(row["wal_id"]));
    const models: string[] = [];
    const { records } = expectOk(await collectRecords(world.context(), { tenantId, walIds, models }));
    expectOk(await packRecords(world.context(), { tenantId, records, models }));
    const rows = await world.rows(
      tenantId,
      "select dictionary_id from artifacts where kind = 'pack' order by created_at desc limit 1",
    );
    const id = rows[0]?.["dictionary_id"];
    return typeof id === "string" ? id : null;
  }

  const objectsOf = async (tenantId: string) =>
    (await world.bucket.list({ prefix: `dictionaries/${tenantId}/` })).objects.map(({ key }) => key);

  /** Every text of the tenant's packs. */
  async function packedTexts(tenantId: string): Promise<readonly string[]> {
    const texts: string[] = [];
    for (const row of await world.rows(tenantId, "select object_key, size_bytes from artifacts where kind = 'pack'")) {
      const place = { tenantId, key: String(row["object_key"]), sizeBytes: Number(row["size_bytes"]) };
      const reader = expectOk(await openTenantPack(world.context(), place));
      for (const block of reader.footer.blocks.keys())
        for (const record of expectOk(await reader.readBlock(block))) texts.push(record.text ?? "");
    }
    return texts.toSorted();
  }

  it("is none before one was promoted", async () => {
    expect(await currentDictionary(world.context(), "nobody")).toEqual({ ok: true, value: null });
  });

  it("is what was promoted, and no other tenant's", async () => {
    await world.bucket.put(dictionaryKey("alpha", trained.id), trained.bytes);
    await promote("alpha", trained.id);
    expect(expectOk(await currentDictionary(world.context(), "alpha"))).toEqual(trained);
    expect(expectOk(await currentDictionary(world.context(), "beta"))).toBeNull();
  });

  it("is refused where its object is gone, holds other bytes, or cannot be read", async () => {
    await promote("gamma", trained.id);
    expect(await currentDictionary(world.context(), "gamma")).toMatchObject({ error: { code: "dictionary_missing" } });
    const damaged = Uint8Array.from(trained.bytes);
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
    await world.bucket.put(dictionaryKey("gamma", trained.id), damaged);
    expect(await currentDictionary(world.context(), "gamma")).toMatchObject({ error: { code: "dictionary_damaged" } });
    const bucket = { get: () => Promise.reject(new Error("away")) };
    const unread = await currentDictionary({ ...world.context(), bucket }, "gamma");
    expect(unread).toMatchObject({ error: { code: "storage_unavailable" } });
  });

  it("is trained on a tenant's own texts, wins on records that were held out, and is what packs are made with", async () => {
    const tenantId = await populated();
    expect(expectOk(await trainTenant(contextOf(), tenantId, { isDryRun: false })).outcome).toBe("not_due");
    const dry = expectOk(await train(tenantId, undefined, true));
    expect(dry.outcome).toBe("would_be_promoted");
    const few = { isDryRun: true, bounds: { ...BOUNDS, servedPerDocument: 1 } };
    // 256 documents save less than the dictionary's own bytes.
    expect(expectOk(await trainTenant(contextOf(), tenantId, few))).toEqual({ ...dry, outcome: "would_lose" });
    expect(await objectsOf(tenantId)).toEqual([]);
    const won = expectOk(await train(tenantId));
    expect(won).toEqual({ ...dry, outcome: "promoted" });
    if (!("plainBytes" in won)) throw new Error("nothing was measured");
    expect(won.measuredBytes).toBeLessThan(0.9 * won.plainBytes);
    const current = expectOk(await currentDictionary(world.context(), tenantId));
    expect(await objectsOf(tenantId)).toEqual([dictionaryKey(tenantId, current?.id ?? "")]);
    expect(await pack(tenantId)).toBe(current?.id);
    const registered = await world.rows(
      tenantId,
      "select artifact_id, user_id from artifacts where kind = 'dictionary'",
    );
    expect(registered).toEqual([{ artifact_id: `dictionary-${current?.id ?? ""}`, user_id: "*" }]);
  });

  it("stays where a new one does not win by enough, and is not trained again before enough has come", async () => {
    const tenantId = await populated();
    expectOk(await train(tenantId));
    const before = expectOk(await currentDictionary(world.context(), tenantId));
    expect(expectOk(await train(tenantId)).outcome).toBe("not_due");
    const age = "update dictionaries set trained_at = now() - interval '10 days' where tenant_id = $1";
    expectOk(await world.database.ownerSql.transaction({ tenantId, userId: "*" }, [statement(age, tenantId)]));
    expect(expectOk(await train(tenantId)).outcome).toBe("lost");
    expect(expectOk(await currentDictionary(world.context(), tenantId))).toEqual(before);
    expect(await objectsOf(tenantId)).toHaveLength(1);
  });

  it("goes once it is not current and no pack needs it, and not before", async () => {
    const tenantId = await populated();
    expectOk(await train(tenantId));
    await pack(tenantId);
    const [key] = await objectsOf(tenantId);
    const former = `update dictionaries set is_current = false, trained_at = now() - interval '2 days' where tenant_id = $1`;
    expectOk(await world.database.ownerSql.transaction({ tenantId, userId: "*" }, [statement(former, tenantId)]));
    expect(expectOk(await removeUnneeded(contextOf(), tenantId, false))).toBe(0);
    expect(await objectsOf(tenantId)).toEqual([key]);
    const unneeded = "update artifacts set dictionary_id = null where kind = 'pack' and tenant_id = $1";
    expectOk(await world.database.ownerSql.transaction({ tenantId, userId: "*" }, [statement(unneeded, tenantId)]));
    const report = reportSchema.parse(
      expectOk(await runTicked(contextOf(), DICTIONARY_JOB, { isDryRun: true })).report,
    );
    expect(report.removedCount).toBe(1);
    expect(await objectsOf(tenantId)).toEqual([key]);
    expectOk(await runTicked(contextOf(), DICTIONARY_JOB));
    expect(await objectsOf(tenantId)).toEqual([]);
    expect(await world.rows(tenantId, "select from artifacts where kind = 'dictionary'")).toEqual([]);
  });

  it("goes with a user whose texts it was trained on: packs that need it are written anew, at once", async () => {
    const tenantId = await populated();
    expectOk(await train(tenantId));
    const dictionary = expectOk(await currentDictionary(world.context(), tenantId));
    expect(await pack(tenantId)).toBe(dictionary?.id);
    expect(await pack(tenantId)).toBe(dictionary?.id);
    const kept = (await packedTexts(tenantId)).length / 2;
    const certificate = await eraseWhole(world, { tenantId, userId: "ann" });
    expect(certificate.places["dictionaries"]).toEqual({ before: 1, after: 0 });
    expect(expectOk(await currentDictionary(world.context(), tenantId))).toBeNull();
    expect(await objectsOf(tenantId)).toEqual([]);
    expect(await packedTexts(tenantId)).toHaveLength(kept);
    const needing = await world.rows(tenantId, "select from artifacts where dictionary_id is not null");
    expect(needing).toEqual([]);
  });

  it("is not promoted where a user of it was erased while it was trained", async () => {
    const tenantId = await populated();
    const context = contextOf();
    const outcome = await trainTenant(
      {
        ...context,
        trainDictionary: async (samples, options) => {
          await eraseWhole(world, { tenantId, userId: "ben" });
          return context.trainDictionary(samples, options);
        },
      },
      tenantId,
      { isDryRun: false, bounds: BOUNDS },
    );
    expect(expectOk(outcome).outcome).toBe("user_erased");
    expect(expectOk(await currentDictionary(world.context(), tenantId))).toBeNull();
    expect(await objectsOf(tenantId)).toEqual([]);
  });

  it("is whole or not there, wherever a training died, and the next one makes it", async () => {
    const tenantId = await populated();
    for (let callIndex = 0; callIndex < CALLS_MAX; callIndex += 1) {
      const forgotten = ["delete from dictionaries", "delete from artifacts where kind = 'dictionary'"];
      const scope = { tenantId, userId: "*" };
      expectOk(
        await world.database.ownerSql.transaction(
          scope,
          forgotten.map((text) =>
            statement(`${text}${text.includes("where") ? " and" : " where"} tenant_id = $1`, tenantId),
          ),
        ),
      );
      const crash = new CrashPoint({ callIndex, moment: callIndex % 2 === 0 ? "after" : "before" });
      await train(tenantId, crash).catch(() => undefined);
      expectOk(await currentDictionary(world.context(), tenantId));
      const again = expectOk(await train(tenantId)).outcome;
      expect(["promoted", "not_due"]).toContain(again);
      expect(expectOk(await currentDictionary(world.context(), tenantId))).not.toBeNull();
      if (!crash.hasCrashed) return;
    }
    throw new Error("the last call was not reached");
  });
});
