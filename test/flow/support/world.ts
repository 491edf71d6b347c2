import type { Queue, R2Bucket } from "@cloudflare/workers-types";
import { ulidFactory } from "../../../src/lib/base/ids.ts";
import { Semaphore } from "../../../src/lib/base/semaphore.ts";
import type { DocumentInput } from "../../../src/lib/contract/document.ts";
import { DEFAULT_POLICY, type TenantPolicy } from "../../../src/lib/contract/policy.ts";
import type { Principal } from "../../../src/lib/contract/principal.ts";
import type { EmbedMessage } from "../../../src/lib/contract/queue-message.ts";
import { activateModelIfNoneActive, insertModel } from "../../../src/lib/db/queries/models.ts";
import { HOME_SHARD } from "../../../src/lib/db/shard-map.ts";
import type { Row, Sql } from "../../../src/lib/db/sql.ts";
import type { Embedder } from "../../../src/lib/embed/embedder.ts";
import { accept } from "../../../src/lib/flows/ingest/accept.ts";
import type { IndexingContext } from "../../../src/lib/flows/indexing/context.ts";
import { indexRange } from "../../../src/lib/flows/indexing/index-range.ts";
import { loadLanguageDetector, type LanguageDetector } from "../../../src/lib/gate/language.ts";
import { createModelSource, tokenizerKey } from "../../../src/lib/flows/models/model-source.ts";
import { provedZstd } from "../../../src/lib/zstd/proved-zstd.ts";
import type { ZstdCodec } from "../../../src/lib/zstd/zstd-codec.ts";
import { expectOk, openTestDatabase, rowsIn, statement, type TestDatabase } from "../../support/database.ts";
import type { TestBackend } from "../../support/postgres-servers.ts";
import { openR2Bucket } from "../../support/r2-bucket.ts";
import { zstdModule } from "../../support/zstd-module.ts";
import { smallTokenizerJson } from "../../unit/model/small-tokenizer.ts";
import { CrashPoint } from "./crashing.ts";
import { HASH_FINGERPRINT, HASH_MODEL, HashEmbedder } from "./hash-embedder.ts";

/** A real store (PGlite or a server), real R2 (workerd's), a queue that hands its messages to the test. */
export interface World {
  readonly database: TestDatabase;
  readonly bucket: R2Bucket;
  readonly embedder: HashEmbedder;
  /** Messages sent and not taken yet. */
  readonly queued: EmbedMessage[];
  nowMs: number;
  /** Everything indexing and accepting need; with a crash point, all ports pass through it. */
  context(crash?: CrashPoint): WorldContext;
  /** Accepts documents through the edge flow and returns the WAL id. */
  ingest(
    tenantId: string,
    documents: readonly DocumentInput[],
    options?: { batchTag?: string; crash?: CrashPoint; key?: string; policy?: TenantPolicy },
  ): Promise<string>;
  /** Takes all queued messages. */
  take(): EmbedMessage[];
  /** Takes all queued messages and applies each: what the consumer does when nothing goes wrong. */
  indexQueued(): Promise<void>;
  rows(tenantId: string, text: string, ...params: unknown[]): Promise<readonly Row[]>;
  close(): Promise<void>;
}

export interface WorldContext extends IndexingContext {
  readonly embedders: readonly [Embedder, ...Embedder[]];
  readonly databases: ReadonlyMap<string, Sql>;
  readonly embedQueue: Pick<Queue<EmbedMessage>, "send" | "sendBatch">;
  readonly clock: () => number;
  readonly newUlid: () => string;
  readonly loadLanguageDetector: () => Promise<LanguageDetector>;
  readonly loadZstd: () => Promise<ZstdCodec>;
}

let zstd: ZstdCodec | undefined;

export function principalOf(tenantId: string, policy: TenantPolicy = DEFAULT_POLICY): Principal {
  return {
    keyId: "test",
    tenantId,
    userId: "",
    scopes: ["ingest", "search", "admin"],
    expiresAtMs: null,
    policy,
    policyVersion: 0,
  };
}

export async function openWorld(backend: TestBackend = "pglite"): Promise<World> {
  const database = await openTestDatabase({ backend });
  const held = await openR2Bucket();
  const { bucket } = held;
  await bucket.put(tokenizerKey(HASH_FINGERPRINT), smallTokenizerJson());
  await registerModel(database.ownerSql);
  const embedder = new HashEmbedder();
  const queued: EmbedMessage[] = [];
  let seed = 1;
  const random = (): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const world: World = {
    database,
    bucket,
    embedder,
    queued,
    nowMs: Date.UTC(2026, 10, 23, 12),
    context: (crash = new CrashPoint(undefined)) => contextOf(world, crash, random),
    ingest: async (tenantId, documents, options = {}) => {
      const body = { documents, ...(options.batchTag === undefined ? {} : { batch_tag: options.batchTag }) };
      const accepted = await accept(world.context(options.crash), {
        principal: principalOf(tenantId, options.policy),
        requestId: "test",
        body: new TextEncoder().encode(JSON.stringify(body)),
        headers: { contentType: "application/json", contentEncoding: "" },
        batchTag: null,
        idempotencyKey: options.key ?? null,
      });
      return expectOk(accepted).reply.token;
    },
    take: () => queued.splice(0),
    indexQueued: async () => {
      for (const message of world.take()) expectOk(await indexRange(world.context(), message));
    },
    rows: (tenantId, text, ...params) => rowsIn(database.sql, { tenantId, userId: "*" }, statement(text, ...params)),
    close: async () => {
      await held.close();
      await database.close();
    },
  };
  return world;
}

function contextOf(world: World, crash: CrashPoint, random: () => number): WorldContext {
  const sql = crash.wrap(world.database.sql);
  const bucket = crash.wrap(world.bucket);
  const makeUlid = ulidFactory(() => world.nowMs, random);
  const embedder = crash.wrap<HashEmbedder>(world.embedder);
  return {
    sql,
    databases: new Map([[HOME_SHARD, sql]]),
    bucket,
    embedder,
    embedders: [embedder],
    embedQueue: crash.wrap(queueInto(world.queued)),
    // A model source of its own for each process that could crash.
    models: createModelSource({
      sql,
      clock: () => world.nowMs,
      readTokenizer: async (fingerprint) => {
        const object = await bucket.get(tokenizerKey(fingerprint));
        return object === null ? null : new Uint8Array(await object.arrayBuffer());
      },
    }),
    requestBudget: { textsMax: 8, tokensMax: 256 },
    embedRequests: new Semaphore(2),
    clock: () => world.nowMs,
    loadLanguageDetector,
    loadZstd: async () => (zstd ??= provedZstd(zstdModule())),
    // Time goes on with each id, so that later requests sort after earlier ones.
    newUlid: () => {
      world.nowMs += 1;
      return makeUlid();
    },
  };
}

function queueInto(queued: EmbedMessage[]): Pick<Queue<EmbedMessage>, "send" | "sendBatch"> {
  const metadata = { metrics: { backlogCount: 0, backlogBytes: 0 } };
  return {
    send: async (message) => {
      queued.push(message);
      return { metadata };
    },
    sendBatch: async (messages) => {
      for (const { body } of messages) queued.push(body);
      return { metadata };
    },
  };
}

async function registerModel(sql: Sql): Promise<void> {
  const system = { tenantId: "", userId: "" };
  expectOk(
    await sql.transaction(system, [
      insertModel({ ...HASH_MODEL, info: {} }),
      activateModelIfNoneActive(HASH_FINGERPRINT),
    ]),
  );
}
