import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { readWalHead } from "../../src/lib/wal/read-wal-range.ts";
import { walKey } from "../../src/lib/wal/wal-key.ts";
import { WAL_LIMITS } from "../../src/lib/wal/wal-limits.ts";
import { contextOf } from "../../src/workers/context.ts";
import { currentTrace, inTrace } from "../../src/workers/trace-scope.ts";
import { ask, ingest, makeKey, suiteEnv, suiteSql } from "./support/worker.ts";

const TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736";
const TRACEPARENT = `00-${TRACE_ID}-00f067aa0ba902b7-01`;

let key: string;
beforeAll(async () => {
  key = (await makeKey("traced", ["ingest", "search", "admin"])).key;
});
afterEach(() => void vi.restoreAllMocks());

async function headOf(walId: string) {
  const opened = await readWalHead(suiteEnv().BUCKET, walKey("traced", walId), WAL_LIMITS);
  if (!opened.ok) throw new Error(opened.error.code);
  return opened.value.head;
}

describe("the trace of a request", () => {
  it("is the client's: in the reply, with a stretch of our own, and in the WAL object", async () => {
    const reply = await ingest(key, { documents: [{ id: "a", text: "hello there" }] }, { traceparent: TRACEPARENT });
    expect(reply.headers.get("traceparent")).toMatch(
      new RegExp(`^00-${TRACE_ID}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`),
    );
    expect(await headOf(reply.body.token)).toMatchObject({
      trace_id: TRACE_ID,
      request_id: reply.headers.get("x-request-id"),
    });
  });

  it("has the request's own id where the client names none, or none that can be read", async () => {
    for (const headers of [{}, { traceparent: `${TRACEPARENT}-more` }]) {
      const reply = await ingest(key, { documents: [{ id: "b", text: "hello again" }] }, headers);
      const own = reply.headers.get("x-request-id")?.replaceAll("-", "");
      expect(reply.headers.get("traceparent")).toMatch(new RegExp(`^00-${own}-[0-9a-f]{16}-00$`));
      expect((await headOf(reply.body.token)).trace_id).toBe(own);
    }
  });

  it("stands in every log line", async () => {
    const written = vi.spyOn(console, "log").mockImplementation(() => undefined);
    await ask("/v1/batches/nobody", { key, headers: { traceparent: TRACEPARENT } }, suiteEnv({ LOG_LEVEL: "info" }));
    const lines = written.mock.calls.map(([line]) => z.looseObject({ trace_id: z.string() }).parse(JSON.parse(line)));
    expect(lines.length).toBeGreaterThan(0);
    expect(new Set(lines.map((line) => line.trace_id))).toEqual(new Set([TRACE_ID]));
  });

  it("follows each of two that run at the same time, and ends with its work", async () => {
    const other = "0af7651916cd43dd8448eb211c80319c";
    const idAfterAwaits = (traceId: string) =>
      inTrace(traceId, async () => {
        for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
        return currentTrace()?.traceId;
      });
    expect(await Promise.all([idAfterAwaits(TRACE_ID), idAfterAwaits(other)])).toEqual([TRACE_ID, other]);
    expect(currentTrace()).toBeUndefined();
  });

  it("is the name of its transactions in the database, for their length", async () => {
    const name = { text: "select current_setting('application_name') as name", params: [] };
    const { sql } = contextOf(suiteEnv());
    const scope = { tenantId: "traced", userId: "*" };
    const rows = await inTrace(TRACE_ID, () => sql.transaction(scope, [name], { readOnly: true }));
    expect(rows).toEqual({ ok: true, value: [[{ name: `jeeves ${TRACE_ID}` }]] });
    const after = await suiteSql().transaction(scope, [name], { readOnly: true });
    expect(JSON.stringify(after)).not.toContain(TRACE_ID);
  });
});
