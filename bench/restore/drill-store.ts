/** What the drill runs on: R2 of workerd, a real database, a real embedding server, and the production flows over them. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { MINUTE_MS } from "../../src/lib/base/durations.ts";
import { ulidFactory } from "../../src/lib/base/ids.ts";
import { Semaphore } from "../../src/lib/base/semaphore.ts";
import { DEFAULT_POLICY } from "../../src/lib/contract/policy.ts";
import type { Principal } from "../../src/lib/contract/principal.ts";
import type { EmbedMessage } from "../../src/lib/contract/queue-message.ts";
import { searchReplySchema } from "../../src/lib/contract/search.ts";
import { createHttpEmbedder } from "../../src/lib/embed/http-embedder.ts";
import { accept } from "../../src/lib/flows/ingest/accept.ts";
import { indexRange } from "../../src/lib/flows/indexing/index-range.ts";
import type { Job } from "../../src/lib/flows/jobs/job.ts";
import { type FrameContext, runJob } from "../../src/lib/flows/jobs/run-job.ts";
import { createModelSource, tokenizerKey } from "../../src/lib/flows/models/model-source.ts";
import { registerModel } from "../../src/lib/flows/models/register-model.ts";
import { search } from "../../src/lib/flows/searching/search.ts";
import { sweep, SWEEP_BOUNDS } from "../../src/lib/flows/sweep/sweep.ts";
import { loadLanguageDetector } from "../../src/lib/gate/language.ts";
import { provedZstd } from "../../src/lib/zstd/proved-zstd.ts";
import { expectOk, statement, type TestDatabase } from "../../test/support/database.ts";
import { zstdModule } from "../../test/support/zstd-module.ts";
import type { BenchText } from "../support/read-texts.ts";

export const TENANT = "drill";
const EMBED_TIMEOUT_MS = 120_000;
/** Documents of one request: its WAL object is read in one piece, since Miniflare gives Node no second one of an object. */
const REQUEST_DOCUMENTS = 4;

/** What a query found, in order. */
export interface Answer {
  readonly hits: readonly string[];
  readonly scores: readonly number[];
}

const principal: Principal = {
  keyId: "drill",
  tenantId: TENANT,
  userId: "",
  scopes: ["ingest", "search", "admin"],
  expiresAtMs: null,
  policy: DEFAULT_POLICY,
  policyVersion: 0,
};

/** The flows over one database. */
export class DrillStore {
  readonly #queued: EmbedMessage[] = [];
  readonly #context;
  /** Moves what the sweeper takes for the age of an object. */
  #laterMs = 0;

  constructor(database: TestDatabase, bucket: R2Bucket, endpoint: string) {
    const embedder = createHttpEmbedder({
      endpoint,
      token: undefined,
      timeoutMs: EMBED_TIMEOUT_MS,
      fetch: (input, init) => fetch(input, init),
    });
    const clock = (): number => Date.now() + this.#laterMs;
    const { sql } = database;
    this.#context = {
      sql,
      databases: new Map([["home", sql]]),
      bucket,
      embedder,
      embedders: [embedder],
      embedQueue: {
        send: async (message: EmbedMessage) => {
          this.#queued.push(message);
          return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
        },
        sendBatch: async (messages: Iterable<{ readonly body: EmbedMessage }>) => {
          for (const { body } of messages) this.#queued.push(body);
          return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
        },
      },
      models: createModelSource({
        sql,
        clock,
        readTokenizer: async (fingerprint) => {
          const object = await bucket.get(tokenizerKey(fingerprint));
          return object === null ? null : new Uint8Array(await object.arrayBuffer());
        },
      }),
      requestBudget: { textsMax: 32, tokensMax: 4_096 },
      embedRequests: new Semaphore(2),
      clock,
      sleep: async () => undefined,
      newUlid: ulidFactory(clock, Math.random),
      loadLanguageDetector,
      loadZstd: async () => provedZstd(zstdModule()),
    };
  }

  async registerModel(): Promise<void> {
    expectOk(await registerModel(this.#context, { embedder: this.#context.embedder, activate: true }));
  }

  async createTenant(database: TestDatabase): Promise<void> {
    const insert = statement("insert into tenants (tenant_id, display_name) values ($1, 'Drill')", TENANT);
    expectOk(await database.ownerSql.transaction({ tenantId: TENANT, userId: "*" }, [insert]));
  }

  /** Through the edge's own flow: judged, durable in R2, queued. */
  async ingest(texts: readonly BenchText[]): Promise<void> {
    for (let from = 0; from < texts.length; from += REQUEST_DOCUMENTS) {
      const documents = texts.slice(from, from + REQUEST_DOCUMENTS).map(({ id, text }) => ({ id, text }));
      const request = {
        principal,
        requestId: "drill",
        body: new TextEncoder().encode(JSON.stringify({ documents })),
        headers: { contentType: "application/json", contentEncoding: "" },
        batchTag: "drill",
        idempotencyKey: null,
      };
      expectOk(await accept(this.#context, request));
    }
  }

  /** The consumer: chunks, embeds and writes what is queued. */
  async indexQueued(): Promise<void> {
    for (const message of this.#queued.splice(0)) expectOk(await indexRange(this.#context, message));
  }

  /** The sweeper, as it will run some minutes from now; the number of ranges that it sent. */
  async sweep(): Promise<number> {
    this.#laterMs = 10 * MINUTE_MS;
    const options = { ...SWEEP_BOUNDS, sweptAtMs: 0, isSpent: () => false, isDryRun: false };
    const { report } = await sweep(this.#context, options, { completeUpTo: {}, stoppedAt: null });
    this.#laterMs = 0;
    return report.sentCount;
  }

  /** A job in its frame; its report. */
  async run<C extends FrameContext>(job: Job<C, unknown>): Promise<unknown> {
    // The context has what the jobs of backups name.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const context = this.#context as unknown as C;
    const thrown: unknown[] = [];
    const ran = await runJob(context, job, {
      startedBy: "hand",
      scheduledAtMs: Date.now(),
      isDryRun: false,
      onThrown: (each) => void thrown.push(each),
    });
    if (thrown.length > 0) throw thrown[0];
    const { state, report } = expectOk(ran);
    if (state !== "done") throw new Error(`${job.name} ended as ${state}: ${JSON.stringify(report)}`);
    return report;
  }

  async answers(queries: readonly string[]): Promise<readonly Answer[]> {
    const answers: Answer[] = [];
    for (const query of queries) {
      const { hits } = searchReplySchema.parse(expectOk(await search(this.#context, principal, { query, k: 10 })));
      answers.push({
        hits: hits.map((hit) => `${hit.document_id} ${hit.chunk_index}`),
        scores: hits.map((hit) => hit.score),
      });
    }
    return answers;
  }
}
