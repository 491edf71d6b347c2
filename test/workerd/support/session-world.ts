/** Indexing and search inside workerd, with vectors of a hash: nothing else stands in. */
import { z } from "zod";
import { loadLanguageDetector } from "../../../src/lib/gate/language.ts";
import { ok } from "../../../src/lib/base/result.ts";
import { Semaphore } from "../../../src/lib/base/semaphore.ts";
import { DEFAULT_POLICY } from "../../../src/lib/contract/policy.ts";
import type { SearchReply } from "../../../src/lib/contract/search.ts";
import { activateModelIfNoneActive, insertModel } from "../../../src/lib/db/queries/models.ts";
import { indexRange } from "../../../src/lib/flows/indexing/index-range.ts";
import type { ModelSource } from "../../../src/lib/flows/models/model-source.ts";
import { search } from "../../../src/lib/flows/searching/search.ts";
import { loadTokenCounter } from "../../../src/lib/model/load-token-counter.ts";
import { embedMessages } from "../../../src/lib/wal/embed-messages.ts";
import { decodeWal } from "../../../src/lib/wal/wal-codec.ts";
import { WAL_LIMITS } from "../../../src/lib/wal/wal-limits.ts";
import { HASH_FINGERPRINT, HASH_MODEL, HashEmbedder } from "../../flow/support/hash-embedder.ts";
import { smallTokenizerJson } from "../../unit/model/small-tokenizer.ts";
import { suiteEnv, suiteSql } from "./worker.ts";

// Loaded here once: under this runner a dynamic import ends in the invocation that began it, and the queue's own consumer would go on in a session's.
const detector = await loadLanguageDetector();

/** The test's model. What is indexed and searched goes by the database's own active model, so that it is active there; no other suite of this database has one. */
async function hashModel(): Promise<ModelSource> {
  const sql = suiteSql();
  const system = { tenantId: "", userId: "" };
  const select = { text: "select model_id from embedding_models where fingerprint = $1", params: [HASH_FINGERPRINT] };
  const rows = await sql.transaction(system, [
    insertModel({ ...HASH_MODEL, info: {} }),
    activateModelIfNoneActive(HASH_FINGERPRINT),
    select,
  ]);
  if (!rows.ok) throw new Error(rows.error.code);
  const { model_id: modelId } = z.object({ model_id: z.int() }).parse(rows.value[2]?.[0]);
  const counter = loadTokenCounter(smallTokenizerJson());
  if (!counter.ok) throw new Error("the test's tokenizer does not load");
  return {
    active: async () => ok({ ...HASH_MODEL, modelId, storeVariant: "vector" }),
    tokenCounter: async () => ok(counter.value),
  };
}

export interface SessionWorld {
  /** Applies every WAL object of a tenant; what is applied already is not applied again. */
  indexTenant(tenantId: string): Promise<number>;
  /** A search by a key that is bound to the user. */
  searchAs(tenantId: string, userId: string, body: object): Promise<SearchReply>;
}

export async function openSessionWorld(): Promise<SessionWorld> {
  const models = await hashModel();
  const sql = suiteSql();
  const bucket = suiteEnv().BUCKET;
  const embedder = new HashEmbedder();
  const context = {
    sql,
    bucket,
    embedder,
    models,
    requestBudget: { textsMax: 8, tokensMax: 256 },
    embedRequests: new Semaphore(2),
    loadLanguageDetector: async () => detector,
    clock: Date.now,
    sleep: async () => {},
  };
  return {
    async indexTenant(tenantId) {
      let documentCount = 0;
      for (const { key } of (await bucket.list({ prefix: `wal/${tenantId}/` })).objects) {
        const object = await bucket.get(key);
        const record = decodeWal(new Uint8Array((await object?.arrayBuffer()) ?? new ArrayBuffer(0)), WAL_LIMITS);
        if (!record.ok) throw new Error(record.error.code);
        const { documents, ...head } = record.value;
        const ranges = [{ documentStart: 0, documentCount: documents.length }];
        for (const message of embedMessages(head, ranges, Date.now())) {
          const indexed = await indexRange(context, message);
          if (!indexed.ok) throw new Error(indexed.error.code);
          documentCount += documents.length;
        }
      }
      return documentCount;
    },
    async searchAs(tenantId, userId, body) {
      const principal = { keyId: "test", tenantId, userId, scopes: ["search" as const], expiresAtMs: null };
      const reply = await search(context, { ...principal, policy: DEFAULT_POLICY, policyVersion: 0 }, body);
      if (!reply.ok) throw new Error(reply.error.code);
      return reply.value;
    },
  };
}
