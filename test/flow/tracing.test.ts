import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { uuidV7 } from "../../src/lib/base/ids.ts";
import type { RequestTrace } from "../../src/lib/contract/request-trace.ts";
import { accept } from "../../src/lib/flows/ingest/accept.ts";
import { buryRange } from "../../src/lib/flows/indexing/bury-range.ts";
import { writeReportIfDone } from "../../src/lib/flows/batches/write-report.ts";
import { readTrace } from "../../src/lib/flows/tracing/read-trace.ts";
import { expectOk } from "../support/database.ts";
import { openWorld, principalOf, type World } from "./support/world.ts";

const TEXT = "The jet flows over the wing in the boundary layer of the token.";
const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";

let world: World;
let tenantCount = 0;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());

function newTenant(): string {
  tenantCount += 1;
  return `traced-${tenantCount}`;
}

/** A request as the edge takes it: its id is made when it comes in, its WAL id when it has been read and judged. */
async function request(tenantId: string, texts: readonly string[], batchTag: string | null = null) {
  const requestId = uuidV7(
    () => world.nowMs,
    (bytes) => crypto.getRandomValues(bytes),
  );
  world.nowMs += 40;
  const documents = texts.map((text, index) => ({ id: `${requestId}-${index}`, text }));
  const accepted = await accept(world.context(), {
    principal: principalOf(tenantId),
    requestId,
    traceId: TRACE_ID,
    body: new TextEncoder().encode(JSON.stringify({ documents })),
    headers: { contentType: "application/json", contentEncoding: "" },
    batchTag,
    idempotencyKey: null,
  });
  return { requestId, token: expectOk(accepted).reply.token };
}

const traceOf = async (tenantId: string, id: string): Promise<RequestTrace> =>
  expectOk(await readTrace(world.context(), tenantId, id));
const namesOf = (trace: RequestTrace): readonly string[] => trace.events.map(({ event }) => event);

describe("the trace of a request", () => {
  it("is found by request id, by the id of a trace made of it, and by token, before and after it is applied", async () => {
    const tenant = newTenant();
    const { requestId, token } = await request(tenant, [TEXT, " "]);
    const waiting = await traceOf(tenant, requestId);
    expect(waiting.requests).toEqual([
      {
        wal_id: token,
        batch_tag: token,
        request_id: requestId,
        trace_id: TRACE_ID,
        origin: null,
        input_count: 2,
        range_count: 1,
        pending_ranges: [0],
        outcomes: {},
      },
    ]);
    expect(namesOf(waiting)).toEqual(["received", "durable"]);
    await world.indexQueued();
    const applied = await traceOf(tenant, token);
    expect(applied.requests[0]).toMatchObject({ pending_ranges: [], outcomes: { indexed: 1, rejected: 1 } });
    expect(namesOf(applied)).toEqual(["received", "durable", "applied"]);
    expect(await traceOf(tenant, requestId.replaceAll("-", ""))).toEqual(applied);
  });

  it("is told from the ledger alone when its object is gone", async () => {
    const tenant = newTenant();
    const { token } = await request(tenant, [TEXT]);
    await world.indexQueued();
    const { objects } = await world.bucket.list({ prefix: `wal/${tenant}/` });
    await world.bucket.delete(objects.map((object) => object.key));
    const trace = await traceOf(tenant, token);
    expect(trace.requests[0]).toMatchObject({ request_id: null, input_count: 1, pending_ranges: [] });
    expect(namesOf(trace)).toEqual(["applied"]);
  });

  it("has the burial of what cannot be applied, with its reason", async () => {
    const tenant = newTenant();
    const { requestId } = await request(tenant, [TEXT]);
    for (const message of world.take())
      expectOk(await buryRange(world.context(), { message, queue: "embed", code: "wal_damaged", attempts: 1 }));
    const trace = await traceOf(tenant, requestId);
    expect(namesOf(trace).toSorted()).toEqual(["buried", "dead_letter", "durable", "received"]);
    expect(trace.events.find(({ event }) => event === "dead_letter")?.code).toBe("wal_damaged");
    expect(trace.requests[0]?.outcomes).toEqual({ failed: 1 });
  });

  it("is nobody else's, and is not made up", async () => {
    const tenant = newTenant();
    const { requestId, token } = await request(tenant, [TEXT], "nightly");
    await world.indexQueued();
    const unknown = uuidV7(
      () => world.nowMs,
      (bytes) => bytes.fill(1),
    );
    for (const id of [requestId, token, "nightly"])
      expect(await readTrace(world.context(), newTenant(), id)).toMatchObject({ error: { code: "not_found" } });
    for (const id of [unknown, "no-batch", "no batch", "../wal", ""])
      expect(await readTrace(world.context(), tenant, id)).toMatchObject({ error: { code: "not_found" } });
  });
});

describe("the trace of a batch", () => {
  it("has each of its requests, in order of time, and its report", async () => {
    const tenant = newTenant();
    const first = await request(tenant, [TEXT], "nightly");
    const second = await request(tenant, ["Another wing flows in the token."], "nightly");
    await world.indexQueued();
    await writeReportIfDone(world.context(), { tenantId: tenant, batchTag: "nightly" });
    const trace = await traceOf(tenant, "nightly");
    expect(trace.requests.map(({ wal_id: walId }) => walId)).toEqual([first.token, second.token]);
    expect(namesOf(trace).filter((name) => name === "applied")).toHaveLength(2);
    expect(namesOf(trace).at(-1)).toBe("reported");
    expect(trace.events.map(({ at }) => at)).toEqual(trace.events.map(({ at }) => at).toSorted());
    expect(trace.is_truncated).toBe(false);
  });
});
