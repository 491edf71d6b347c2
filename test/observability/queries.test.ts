import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { ROWS } from "../../ops/grafana/panels.ts";
import { CRON_LINES } from "../../src/lib/flows/jobs/job.ts";
import { METRICS } from "../../src/lib/metrics/metric-names.ts";
import { startSystem, type System } from "../e2e/support/system.ts";
import { isRunnable } from "../support/program.ts";
import { readAlerts, readRecordings } from "../unit/ops/support/prometheus-rules.ts";
import { healthyExpressions } from "./support/healthy-expression.ts";
import { openLoad } from "./support/load.ts";
import { type PrometheusServer, startPrometheus } from "./support/prometheus-server.ts";

const METRICS_TOKEN = "metrics-token-of-observability";
const ROUNDS = 12;
/** How long a query may be without data: the slowest jobs and the recordings of recordings have ended by then. */
const DATA_MS_MAX = 40_000;

/**
 * What a healthy system in this suite cannot show: it has no second remote, restores nothing, its R2 never fails, its batches are too small to be
 * compared, and what is packed has to be an hour old. These series are written into the hub as their jobs would.
 */
const PLANTED: readonly [series: string, value: number][] = [
  ["restore_last_timestamp_seconds", 1_790_000_000],
  ["sync_failed_objects", 0],
  ["sync_withheld_removals", 0],
  ['session_flushes_total{outcome="failed"}', 1],
  ['drift_comparisons_total{against="baseline",dimension="language",verdict="drifted"}', 1],
  ["pack_compression_ratio", 3],
];

const runnable = isRunnable("prometheus");
let system: System;
let prometheus: PrometheusServer;

beforeAll(async () => {
  if (!runnable) return;
  system = await startSystem({ bindings: { METRICS_TOKEN } });
  prometheus = await startPrometheus({
    jeeves: { address: new URL(system.url).host, token: METRICS_TOKEN },
    embedder: { address: `127.0.0.1:${system.embedderGate.port}`, token: "" },
  });
  await plant(system);
  await causeFaults(system);
  const load = await openLoad(system);
  for (let round = 0; round < ROUNDS; round += 1) await load.round();
  await load.seal();
  for (const line of Object.keys(CRON_LINES)) await system.runtime().runScheduled(line, Date.now());
  await load.round();
}, 240_000);
afterAll(async () => {
  await prometheus?.stop();
  await system?.close();
});

async function plant(running: System): Promise<void> {
  const hubs = await running.runtime().miniflare.getDurableObjectNamespace("METRICS_HUB");
  // The binding of the Worker, typed by another copy of the types.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const hub = hubs.get(hubs.idFromName("hub")) as unknown as {
    add(flushId: string, increments: typeof PLANTED): Promise<unknown>;
  };
  await hub.add("planted", PLANTED);
}

/** Messages that are given back while the embedder is away, a job that fails while the database is, and a line that the schedule does not have. */
async function causeFaults(running: System): Promise<void> {
  const load = await openLoad(running);
  running.embedderGate.shut();
  await load.round().catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  running.embedderGate.open();
  running.databaseGate.shut();
  await running.runtime().runScheduled("*/5 * * * *", Date.now());
  running.databaseGate.open();
  await running.runtime().runScheduled("1 1 1 1 *", Date.now());
}

/** Whether the expression has a value that is a number by the deadline. */
async function hasData(expr: string): Promise<boolean> {
  const deadlineMs = Date.now() + DATA_MS_MAX;
  for (;;) {
    const values = await prometheus.query(expr);
    if (values.some((value) => !Number.isNaN(value))) return true;
    if (Date.now() > deadlineMs) return false;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function withoutData(expressions: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(expressions.map(async (expr) => ((await hasData(expr)) ? [] : [expr])));
  return found.flat();
}

describe.runIf(runnable)("a real Prometheus that watches the running system", () => {
  it("reaches both targets and finds every rule in health", async () => {
    const targets = z.object({
      data: z.object({ activeTargets: z.array(z.object({ health: z.string(), lastError: z.string() })) }),
    });
    const { activeTargets } = targets.parse(await prometheus.get("/api/v1/targets")).data;
    expect(activeTargets).toEqual([
      { health: "up", lastError: "" },
      { health: "up", lastError: "" },
    ]);
    const rules = z.object({
      data: z.object({ groups: z.array(z.object({ rules: z.array(z.object({ health: z.string() })) })) }),
    });
    const { groups } = rules.parse(await prometheus.get("/api/v1/rules")).data;
    const health = groups.flatMap((group) => group.rules.map((rule) => rule.health));
    expect(health.length).toBe(readAlerts().length + readRecordings().length);
    expect(new Set(health)).toEqual(new Set(["ok"]));
  });

  it("has data for every recording and every alert", async () => {
    const expressions = [
      ...readRecordings().map(({ record }) => record),
      ...readAlerts().flatMap(({ expr }) => healthyExpressions(expr)),
    ];
    for (const expr of expressions) expect(expr).not.toMatch(/ (>|<|==|unless|and) /);
    expect(await withoutData(expressions)).toEqual([]);
  });

  it("has data for every query of every panel", async () => {
    const queries = ROWS.flatMap((row) => row.panels.flatMap((panel) => panel.queries));
    const dashboard = readFileSync(new URL("../../ops/grafana/dashboards/jeeves.json", import.meta.url), "utf8");
    for (const { expr } of queries) expect(dashboard).toContain(JSON.stringify(expr));
    expect(await withoutData(queries.map(({ expr }) => expr.replaceAll("$__rate_interval", "1m")))).toEqual([]);
  });

  it("sees no label but those of the table, and no text, user or tenant in a value", async () => {
    const reply = z.object({ data: z.array(z.record(z.string(), z.string())) });
    const { data } = reply.parse(await prometheus.get("/api/v1/series?match[]={job=%22jeeves%22}"));
    expect(data.length).toBeGreaterThan(200);
    expect(data.length).toBeLessThan(5_000);
    const tables: Readonly<Record<string, { readonly labels: readonly string[] }>> = METRICS;
    for (const { __name__: name = "", instance: _instance, job: _job, le: _le, ...labels } of data) {
      const table = tables[name.replace(/_(bucket|sum|count)$/, "")] ?? tables[name];
      // What Prometheus makes itself: up, scrape_…, and the recordings.
      if (table === undefined) expect(name).toMatch(/^(up|scrape_.*|jeeves:.*|fallback_fraction_gauge|ALERTS.*)$/);
      else expect(Object.keys(labels).toSorted(), name).toEqual([...table.labels].toSorted());
      expect(Object.values(labels).join(" ")).not.toMatch(/watched|\bann\b|moon|example\.com/);
    }
  });
});
