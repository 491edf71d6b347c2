import { once } from "node:events";
import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { traceLines } from "../../../src/cli/trace/trace-text.ts";
import type { RequestTrace, TraceEvent } from "../../../src/lib/contract/request-trace.ts";
import { runCli, type CliRun } from "./run-cli.ts";

const FIRST = "01M8ADW2CKXVMTTJ3SW6VMX5SW";
const SECOND = "01M8ADW2CKXVMTTJ3SW6VMX5SX";

const event = (afterMs: number, name: TraceEvent["event"], more: Partial<TraceEvent> = {}): TraceEvent => ({
  at: new Date(Date.UTC(2026, 10, 25) + afterMs).toISOString(),
  event: name,
  wal_id: FIRST,
  range_index: null,
  input_count: null,
  code: null,
  ...more,
});

const request = (walId: string, pending: number[]): RequestTrace["requests"][number] => ({
  wal_id: walId,
  batch_tag: "nightly",
  request_id: null,
  trace_id: null,
  origin: null,
  input_count: 2,
  range_count: 2,
  pending_ranges: pending,
  outcomes: { indexed: 1 },
});

describe("a trace on the terminal", () => {
  it("is a time line from the first event, with what is pending at its end", () => {
    const lines = traceLines({
      requests: [request(FIRST, [1])],
      events: [
        event(0, "received", { input_count: 2 }),
        event(14, "durable"),
        event(1_204, "applied", { range_index: 0 }),
      ],
      is_truncated: false,
    });
    expect(lines).toEqual([
      `${FIRST}  2 inputs in 2 ranges: 1 indexed`,
      "  batch nightly · request unknown · trace unknown",
      "       +0 ms  received  2 inputs",
      "      +14 ms  durable in R2, its pointers on the way to the queue",
      "    +1.204 s  range 1 applied: searchable",
      "  pending  range 2",
    ]);
  });

  it("numbers the requests of a batch, and says when there is more", () => {
    const lines = traceLines({
      requests: [request(FIRST, []), request(SECOND, [0])],
      events: [event(0, "dead_letter", { wal_id: SECOND, range_index: 0, code: "wal_damaged" })],
      is_truncated: true,
    });
    expect(lines.slice(4)).toEqual([
      "       +0 ms  request 2: range 1 dead letter (wal_damaged)",
      "  pending  request 2: range 1",
      "  … there is more than is shown",
    ]);
  });
});

/** What the command makes of a service's answer. */
async function traced(trace: RequestTrace, ...words: string[]): Promise<CliRun & { readonly asked: string }> {
  let asked = "";
  const server = createServer((incoming, response) => {
    asked = incoming.url ?? "";
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(trace));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const url = typeof address === "object" ? `http://127.0.0.1:${address?.port}` : "";
  const ran = await runCli(["trace", ...words], { env: { JEEVES_URL: url, JEEVES_KEY: "jvk_x" } });
  server.close();
  return { ...ran, asked };
}

describe("jeeves trace", () => {
  it("ends with 0 when all is applied, and with 1 when something waits or was buried", async () => {
    const events = [event(0, "received")];
    const whole = { requests: [request(FIRST, [])], events, is_truncated: false };
    const ran = await traced(whole, "nightly run");
    expect([ran.exitCode, ran.asked]).toEqual([0, "/v1/admin/traces/nightly%20run"]);
    expect(ran.stdout).toContain("+0 ms  received");
    expect((await traced({ ...whole, requests: [request(FIRST, [1])] }, FIRST)).exitCode).toBe(1);
    const buried = await traced({ ...whole, events: [event(0, "buried", { range_index: 0 })] }, FIRST, "--json");
    expect([buried.exitCode, JSON.parse(buried.stdout)]).toMatchObject([1, { events: [{ event: "buried" }] }]);
  }, 60_000);
});
