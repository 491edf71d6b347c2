/** A change of model whose texts have left the WAL: packs are all there is of them. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DAY_MS } from "../../src/lib/base/durations.ts";
import type { DocumentInput } from "../../src/lib/contract/document.ts";
import { dictionaryKey } from "../../src/lib/flows/dictionaries/dictionary-object.ts";
import { measureCoverage } from "../../src/lib/flows/models/measure-coverage.ts";
import { promoteModel } from "../../src/lib/flows/models/promote-model.ts";
import { search } from "../../src/lib/flows/searching/search.ts";
import { expectOk, statement } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { CrashPoint } from "./support/crashing.ts";
import { distinctText } from "./support/distinct-text.ts";
import {
  applied,
  documentsOf,
  keysUnder,
  newTenant,
  openWorldOfNow,
  runPack,
  setPolicy,
  trainedDictionary,
  withoutWal,
} from "./support/packing.ts";
import { TwoModels } from "./support/two-models.ts";
import { principalOf, type World } from "./support/world.ts";

const IDS = ["a", "b", "c", "d"] as const;

describe.each(await availableBackends(["pglite", "native"]))(
  "changing the model of packed documents, on %s",
  (backend) => {
    let world: World;
    let two: TwoModels;
    let next: number;
    beforeAll(async () => {
      world = await openWorldOfNow(backend);
      two = new TwoModels(world, { documentPrefix: "" });
      next = await two.register();
    });
    afterAll(() => world?.close());

    const coverageOf = async (tenantId: string) =>
      expectOk(await measureCoverage(world.database.sql, { tenantId, modelId: next }));

    /** Chunks under the new model, without what tells the tenant. */
    const chunksOf = (tenantId: string) =>
      world.rows(
        tenantId,
        `select d.document_id, e.user_id, e.tier, e.chunk_index, encode(e.chunk_hash, 'hex') as hash, e.text, e.start_offset, e.end_offset,
         e.token_count, e.lexeme_count, e.embedding::text as embedding, e.occurred_at
       from doc_embeddings e join documents d using (tenant_id, document_uid, generation)
       where e.tenant_id = $1 and e.model_id = $2::int order by 1, 4`,
        tenantId,
        next,
      );

    const documents: readonly DocumentInput[] = [
      ...IDS.flatMap((id) =>
        documentsOf([id], { title: "", text: distinctText(id), occurred_at: "2026-01-02T03:04:05Z" }),
      ),
      ...documentsOf(["mine"], { user_id: "ann" }),
    ];

    it("gives each the vectors that it gets while its WAL object is there, from packs with and without a dictionary", async () => {
      const kept = newTenant();
      await applied(world, kept, documents);
      const packed = await withoutWal(world, documents);
      const withDictionary = newTenant();
      const dictionary = trainedDictionary();
      await world.bucket.put(dictionaryKey(withDictionary, dictionary.id), dictionary.bytes);
      const insert =
        "insert into dictionaries (tenant_id, dictionary_id, is_current, has_object) values ($1, $2, true, true)";
      await world.rows(withDictionary, insert, withDictionary, dictionary.id);
      await setPolicy(world, withDictionary, { retention: { wal_days: 7 } });
      await applied(world, withDictionary, documents);
      world.nowMs += 8 * DAY_MS;
      expect(await runPack(world)).toMatchObject({ failures: {} });
      expect(await keysUnder(world, `wal/${withDictionary}/`)).toEqual([]);
      expect((await two.reembed()).state).toBe("done");
      const wanted = await chunksOf(kept);
      expect(wanted.length).toBeGreaterThan(documents.length);
      for (const tenantId of [packed, withDictionary]) {
        expect(await chunksOf(tenantId)).toEqual(wanted);
        expect(await coverageOf(tenantId)).toMatchObject({
          document_count: documents.length,
          covered_count: documents.length,
          missing_count: 0,
          refused_count: 0,
        });
      }
    });

    it("reads a text that is packed, and its WAL object removed, while it is on its way to be read", async () => {
      const tenantId = newTenant();
      await setPolicy(world, tenantId, { retention: { wal_days: 7 } });
      await applied(world, tenantId, documents);
      world.nowMs += 8 * DAY_MS;
      const context = two.context();
      let packing: Promise<unknown> | undefined;
      const { bucket } = context;
      const packedMeanwhile = new Proxy(bucket, {
        get: (target, name) => {
          const member: unknown = Reflect.get(target, name);
          if (typeof member !== "function") return member;
          return async (...args: unknown[]): Promise<unknown> => {
            if (typeof args[0] === "string" && args[0].startsWith(`wal/${tenantId}/`))
              await (packing ??= runPack(world));
            return Reflect.apply(member, target, args);
          };
        },
      });
      expect((await two.reembed({ ...context, bucket: packedMeanwhile })).state).toBe("done");
      expect(packing).toBeDefined();
      expect(await keysUnder(world, `wal/${tenantId}/`)).toEqual([]);
      expect(await coverageOf(tenantId)).toMatchObject({
        covered_count: documents.length,
        missing_count: 0,
        refused_count: 0,
      });
    });

    it("names documents of a pack that is damaged, is refused for them, and takes them once the pack is mended", async () => {
      const tenantId = await withoutWal(world, documents);
      const [key = ""] = await keysUnder(world, `packs/${tenantId}/`);
      const object = await world.bucket.get(key);
      const metadata = { customMetadata: object?.customMetadata ?? {} };
      const bytes = new Uint8Array((await object?.arrayBuffer()) ?? []);
      await world.bucket.put(
        key,
        bytes.map((byte, index) => (index > 32 && index < 64 ? byte ^ 0x55 : byte)),
        metadata,
      );
      await two.reembed();
      const damaged = await coverageOf(tenantId);
      expect(damaged.refused_count).toBeGreaterThan(0);
      expect(damaged.covered_count + damaged.refused_count).toBe(documents.length);
      expect(Object.keys(damaged.refusals)).toEqual(["pack_damaged"]);
      const promoted = await promoteModel(two.context(), { modelId: next, isForced: false });
      expect(promoted).toMatchObject({
        ok: false,
        error: { code: "conflict", detail: expect.stringContaining("refuses") },
      });
      await world.bucket.put(key, bytes, metadata);
      await two.reembed();
      expect((await coverageOf(tenantId)).refused_count).toBe(damaged.refused_count);
      const dayLater = "update model_refusals set refused_at = refused_at - interval '25 hours' where tenant_id = $1";
      const scope = { tenantId, userId: "*" };
      expectOk(await world.database.ownerSql.transaction(scope, [statement(dayLater, tenantId)]));
      await two.reembed();
      expect(await coverageOf(tenantId)).toMatchObject({
        covered_count: documents.length,
        missing_count: 0,
        refused_count: 0,
      });
    });

    it("does not refuse a document because the bucket was away: the next run takes it", async () => {
      const tenantId = await withoutWal(world, documents);
      const context = two.context();
      const away = new CrashPoint({ callIndex: 2, moment: "before" });
      const failing = { ...context, bucket: away.wrap(world.bucket) };
      expect((await two.reembed(failing)).state).toBe("failed");
      expect(await coverageOf(tenantId)).toMatchObject({ refused_count: 0, missing_count: documents.length });
      expect((await two.reembed()).state).toBe("done");
      expect(await coverageOf(tenantId)).toMatchObject({ covered_count: documents.length, missing_count: 0 });
    });

    it("is promoted with nothing lacking, finds every packed document by the new model, and makes their rows its own", async () => {
      const tenantId = await withoutWal(world, documents);
      await two.reembed();
      const promoted = expectOk(await promoteModel(two.context(), { modelId: next, isForced: false }));
      expect(promoted).toMatchObject({ was_active: false, missing_count: 0, refused_count: 0, caught_up_count: 0 });
      const context = { ...two.context(), sleep: async (): Promise<void> => undefined };
      for (const id of IDS) {
        const [own] = await world.rows(
          tenantId,
          `select e.text from doc_embeddings e join documents d using (tenant_id, document_uid)
         where d.document_id = $1 and e.model_id = $2::int and e.chunk_index = 0`,
          id,
          next,
        );
        const request = { query: String(own?.["text"]), k: 1, mode: "vector", explain: true };
        const found = expectOk(await search(context, principalOf(tenantId), request));
        expect(found.hits[0]?.document_id).toBe(id);
        expect(found.explain?.fingerprint).toBe(two.next.served.fingerprint);
      }
      await two.reembed();
      const wrong = await world.rows(
        tenantId,
        `select document_id from documents d where model_id <> $2::int or chunk_count <> (select count(*) from doc_embeddings e
         where e.tenant_id = d.tenant_id and e.model_id = $2::int and e.document_uid = d.document_uid)
       or tenant_id <> $1`,
        tenantId,
        next,
      );
      expect(wrong).toEqual([]);
      expect(await keysUnder(world, `wal/${tenantId}/`)).toEqual([]);
    });
  },
);
