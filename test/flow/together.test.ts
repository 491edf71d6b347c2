import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { InTrace } from "../../src/lib/base/trace.ts";
import type { DocumentInput } from "../../src/lib/contract/document.ts";
import type { EmbedMessage } from "../../src/lib/contract/queue-message.ts";
import type { Sql } from "../../src/lib/db/sql.ts";
import type { Embedder } from "../../src/lib/embed/embedder.ts";
import { indexRange } from "../../src/lib/flows/indexing/index-range.ts";
import { consumeEmbedBatch, type EmbedConsumerContext } from "../../src/queues/embed-consumer.ts";
import { expectOk } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import { expectConsistent, survive, tryEveryCall } from "./support/crash-campaign.ts";
import { CrashPoint, type CrashPlan } from "./support/crashing.ts";
import { batchOf, deliver, type Delivery } from "./support/deliveries.ts";
import { eraseWhole } from "./support/erasures.ts";
import { TenantProfiles } from "./support/tenant-profiles.ts";
import { UNCOUNTED, UNTRACED } from "./support/uncounted.ts";
import { openWorld, type World } from "./support/world.ts";

/** Seeds of the random part; the campaign takes many. */
const SEED_COUNT = Number(process.env["SEEDS"] ?? 6);
const TEN = Array.from({ length: 10 }, (_, index) => index);

/** What one user says: users share no text that could be another's duplicate. */
const saying = (user: number, words = "jet"): DocumentInput => ({
  id: `said-${user}`,
  user_id: `user-${user}`,
  text: `The ${words} number ${user} flows over the wing in the boundary layer of the token.`,
});

const backends = await availableBackends(["pglite", "native"]);
let tenantCount = 0;

describe.each(backends)("small ranges of one batch, on %s", (backend) => {
  let world: World;
  let tenant = "";
  let logLines: { readonly event: string; readonly fields: Readonly<Record<string, unknown>> }[] = [];

  beforeAll(async () => {
    world = await openWorld(backend);
  });
  afterAll(() => world?.close());
  afterEach(() => {
    world.take();
    logLines = [];
  });

  const newTenant = (): string => (tenant = `together-${backend}-${(tenantCount += 1)}`);

  function consumerContext(more: Partial<EmbedConsumerContext> = {}, crash?: CrashPoint): EmbedConsumerContext {
    const line = (event: string, fields: object): void => void logLines.push({ event, fields: { ...fields } });
    return {
      ...world.context(crash),
      log: { info: line, warn: line, error: line },
      random: () => 0.5,
      inTrace: UNTRACED,
      metrics: UNCOUNTED,
      ...more,
    };
  }

  /** Ten requests of ten users, one message each. */
  async function tenRequests(words = "jet"): Promise<{ readonly walIds: string[]; readonly messages: EmbedMessage[] }> {
    const walIds: string[] = [];
    for (const user of TEN) walIds.push(await world.ingest(tenant, [saying(user, user === 4 ? words : "jet")]));
    return { walIds, messages: world.take() };
  }

  async function consume(
    messages: readonly EmbedMessage[],
    more: Partial<EmbedConsumerContext> = {},
  ): Promise<Delivery[]> {
    const deliveries = messages.map((message) => deliver(message));
    await consumeEmbedBatch(batchOf(deliveries), consumerContext(more));
    return deliveries;
  }

  const decisionsOf = (deliveries: readonly Delivery[]): readonly string[] =>
    deliveries.map(({ decision }) => decision);
  const outcomesOf = async (): Promise<readonly unknown[]> =>
    (await world.rows(tenant, "select wal_id, outcome from receipts order by wal_id, document_index")).map(
      (row) => row["outcome"],
    );
  const togetherCounts = (): readonly unknown[] =>
    logLines.filter(({ event }) => event === "range_applied").map(({ fields }) => fields["ranges_together"]);

  /** An embedder before whose first answer something else happens. */
  function interrupted(interrupt: () => Promise<unknown>): Embedder {
    let isFirst = true;
    return {
      info: () => world.embedder.info(),
      tokenizer: () => world.embedder.tokenizer(),
      embed: async (texts, options) => {
        if (isFirst) {
          isFirst = false;
          await interrupt();
        }
        return world.embedder.embed(texts, options);
      },
    };
  }

  it("share embedding requests and one transaction, and each has its own ledger row, receipt, counters, log line and trace", async () => {
    newTenant();
    const { walIds, messages } = await tenRequests();
    const traced = messages.map((message, index) => ({ ...message, trace_id: `${index + 1}`.padStart(32, "0") }));
    let [writeCount, requestCount] = [0, 0];
    const sql: Sql = {
      query: (...args) => world.database.sql.query(...args),
      transaction: (scope, statements, options) => {
        if (statements.some(({ text }) => text.includes("insert into wal_ledger"))) writeCount += 1;
        return world.database.sql.transaction(scope, statements, options);
      },
    };
    const embedder: Embedder = {
      ...interrupted(async () => undefined),
      embed: (texts, options) => {
        requestCount += 1;
        return world.embedder.embed(texts, options);
      },
    };
    const traceOfLine: unknown[] = [];
    let current: string | undefined;
    const inTrace: InTrace = async (traceId, work) => {
      current = traceId;
      return work();
    };
    const log = {
      ...consumerContext().log,
      info: (event: string, fields: object) => {
        if (event === "range_applied") traceOfLine.push({ ...fields, trace: current });
      },
    };
    const deliveries = await consume(traced, { sql, embedder, inTrace, log });
    expect(decisionsOf(deliveries)).toEqual(TEN.map(() => "ack"));
    expect(writeCount).toBe(1);
    // The world's budget is eight texts a request.
    expect(requestCount).toBe(2);
    expect(traceOfLine).toEqual(
      traced.map(({ wal_id: walId, trace_id: trace }) =>
        expect.objectContaining({ wal_id: walId, trace, ranges_together: 10, documents: 1, chunks: 1 }),
      ),
    );
    await expectConsistent(
      world,
      tenant,
      walIds.map((walId) => ({ walId, inputCount: 1 })),
    );
    expect(await world.rows(tenant, "select wal_id from wal_ledger order by wal_id")).toHaveLength(10);
  });

  it("of two tenants never share a transaction", async () => {
    newTenant();
    await world.ingest(tenant, [saying(1)]);
    await world.ingest(tenant, [saying(2)]);
    await world.ingest(`${tenant}-b`, [saying(1)]);
    await world.ingest(`${tenant}-b`, [saying(2)]);
    expect(decisionsOf(await consume(world.take()))).toEqual(["ack", "ack", "ack", "ack"]);
    expect(togetherCounts()).toEqual([2, 2, 2, 2]);
  });

  it("are indexed beside one whose text the model refuses, which alone fails", async () => {
    newTenant();
    const { walIds, messages } = await tenRequests("POISON");
    expect(decisionsOf(await consume(messages))).toEqual(TEN.map(() => "ack"));
    expect(await outcomesOf()).toEqual(TEN.map((user) => (user === 4 ? "failed" : "indexed")));
    expect(await world.rows(tenant, "select code, wal_id from dead_letters")).toEqual([
      { code: "text_refused", wal_id: walIds[4] },
    ]);
  });

  it("are indexed beside one whose object is damaged, which alone is buried", async () => {
    newTenant();
    const { messages } = await tenRequests();
    const damaged = messages[4];
    if (damaged === undefined) throw new Error("ten messages were queued");
    await world.bucket.put(damaged.wal_key, new Uint8Array(64));
    expect(decisionsOf(await consume(messages))).toEqual(TEN.map(() => "ack"));
    expect(await outcomesOf()).toEqual(TEN.map((user) => (user === 4 ? "failed" : "indexed")));
    expect(togetherCounts()).toEqual(Array.from({ length: 9 }, () => 9));
  });

  it("are applied one by one where another delivery has applied one of them meanwhile", async () => {
    newTenant();
    const { walIds, messages } = await tenRequests();
    const embedder = interrupted(async () => {
      for (const message of messages.slice(4, 5)) expectOk(await indexRange(world.context(), message));
    });
    expect(decisionsOf(await consume(messages, { embedder }))).toEqual(TEN.map(() => "ack"));
    expect(togetherCounts()).toEqual(TEN.map(() => 1));
    expect(logLines[0]).toEqual({
      event: "ranges_parted",
      fields: { tenant_id: tenant, ranges_together: 10, code: "unique_violation" },
    });
    await expectConsistent(
      world,
      tenant,
      walIds.map((walId) => ({ walId, inputCount: 1 })),
    );
  });

  it("leave nothing of a user who is erased between their preparation and their commit, and lose nothing of the others", async () => {
    newTenant();
    const { messages } = await tenRequests();
    const embedder = interrupted(() => eraseWhole(world, { tenantId: tenant, userId: "user-4" }));
    expect(decisionsOf(await consume(messages, { embedder }))).toEqual(TEN.map(() => "ack"));
    expect(await outcomesOf()).toEqual(TEN.map((user) => (user === 4 ? "rejected" : "indexed")));
    expect(await world.rows(tenant, "select user_id from documents where user_id = 'user-4'")).toEqual([]);
  });

  it("wait for the embedder without one try for each of them", async () => {
    newTenant();
    const { messages } = await tenRequests();
    world.embedder.outage = { code: "embedder_unavailable" };
    expect(decisionsOf(await consume(messages))).toEqual(TEN.map(() => "retry"));
    world.embedder.outage = undefined;
    expect(logLines.filter(({ event }) => event === "range_failed")).toHaveLength(1);
    expect(decisionsOf(await consume(messages))).toEqual(TEN.map(() => "ack"));
  });

  it.each(["as they were sent", "backwards"])(
    "that hold versions of one document end as if applied one after the other, %s",
    async (way) => {
      newTenant();
      const walIds: string[] = [];
      for (const words of ["jet", "propeller", "sail"]) walIds.push(await world.ingest(tenant, [saying(1, words)]));
      walIds.push(await world.ingest(tenant, [saying(2)]));
      const messages = world.take();
      await consume(way === "backwards" ? messages.toReversed() : messages);
      expect(await outcomesOf()).toEqual(["indexed", "indexed", "indexed", "indexed"]);
      const stored = await world.rows(tenant, "select text from doc_embeddings where user_id = 'user-1'");
      expect(stored.map((row) => row["text"])).toEqual([saying(1, "sail").text]);
      expect(togetherCounts()).toEqual([2, 2, 1, 1]);
      await expectConsistent(
        world,
        tenant,
        walIds.map((walId) => ({ walId, inputCount: 1 })),
      );
    },
  );

  it.each(["as they were sent", "backwards"])("that hold equal texts store the first, %s", async (way) => {
    newTenant();
    for (const id of ["first", "second"]) await world.ingest(tenant, [{ ...saying(1), id }]);
    const messages = world.take();
    await consume(way === "backwards" ? messages.toReversed() : messages);
    expect(await outcomesOf()).toEqual(["indexed", "duplicate"]);
  });

  it("that hold facts of one series end the earlier where the later begins", async () => {
    const profiles = new TenantProfiles(world, newTenant());
    expectOk(await profiles.put([{ key: "cake", value: "The cake is a token of the jet." }]));
    expectOk(await profiles.put([{ key: "cake", value: "The sail is a layer of the wing." }]));
    expect(decisionsOf(await consume(world.take().toReversed()))).toEqual(["ack", "ack"]);
    expect(await profiles.searchable()).toEqual([expect.stringContaining("sail")]);
  });

  it("that come twice in one batch are applied once", async () => {
    newTenant();
    const { walIds, messages } = await tenRequests();
    const deliveries = await consume([...messages, ...messages.toReversed()]);
    expect(decisionsOf(deliveries)).toEqual([...TEN, ...TEN].map(() => "ack"));
    await expectConsistent(
      world,
      tenant,
      walIds.map((walId) => ({ walId, inputCount: 1 })),
    );
  });

  /** Two small ranges that are applied together, in one of which the model refuses a text. */
  const PAIR = [[saying(1)], [saying(2), saying(3, "POISON")]];
  /** And another version of what the first holds. */
  const THREE = [...PAIR, [saying(1, "sail")]];

  async function request(requests: readonly DocumentInput[][]): Promise<readonly EmbedMessage[]> {
    newTenant();
    for (const documents of requests) await world.ingest(tenant, documents);
    return world.take();
  }

  async function deliverUntilCrash(messages: readonly EmbedMessage[], plan: CrashPlan): Promise<boolean> {
    const crash = new CrashPoint(plan);
    const deliveries = messages.map((message) => deliver(message));
    return survive(crash, () => consumeEmbedBatch(batchOf(deliveries), consumerContext({}, crash)));
  }

  /** Each input ended once, whatever is counted agrees, and of each document there is its last version. */
  async function expectSettled(requests: typeof PAIR): Promise<void> {
    const outcomes = await outcomesOf();
    // The first version was stored, or came when the second was there.
    expect(outcomes[0]).toMatch(/^(indexed|unchanged)$/);
    expect(outcomes.slice(1)).toEqual(["indexed", "failed", "indexed"].slice(0, requests.length));
    const [counted] = await world.rows(
      tenant,
      `select (select count(*)::int from wal_ledger) as range_count,
         (select sum(indexed_count + unchanged_count + failed_count)::int from batches) as input_count,
         (select sum(chunk_count)::int from scope_counts) as chunk_count, (select array_agg(text) from doc_embeddings) as texts`,
    );
    const texts = [saying(1, requests.length === THREE.length ? "sail" : "jet").text, saying(2).text];
    expect(counted).toEqual({
      range_count: requests.length,
      input_count: requests.flat().length,
      chunk_count: 2,
      texts: expect.arrayContaining(texts),
    });
  }

  it("survive a crash before and after every await of theirs: nothing is lost, and nothing applied twice", async () => {
    const lastCall = await tryEveryCall(async (plan) => {
      const messages = await request(PAIR);
      const finished = await deliverUntilCrash(messages, plan);
      await consume(plan.callIndex % 2 === 0 ? messages : messages.toReversed());
      await expectSettled(PAIR);
      return finished;
    });
    expect(lastCall).toBeGreaterThanOrEqual(12);
  });

  it.each(Array.from({ length: SEED_COUNT }, (_, seed) => seed))(
    "end in one state after crashes, repeats and reorderings (seed %i)",
    async (seed) => {
      const random = new SeededRandom(seed);
      const messages = await request(THREE);
      for (let round = 0; round < 4; round += 1) {
        const some = random.shuffled([...messages, ...messages]).slice(0, random.between(1, 6));
        const plan = { callIndex: random.below(30), moment: random.pick(["before", "after"] as const) };
        await deliverUntilCrash(some, plan);
      }
      await consume(random.shuffled(messages));
      await expectSettled(THREE);
    },
  );
});
