import type { HistogramName } from "../../lib/metrics/metric-names.ts";
import { Badge } from "../parts/badge.tsx";
import { BarList, StackedBar } from "../parts/bars.tsx";
import { Empty } from "../parts/empty.tsx";
import { Panel, Tile } from "../parts/panel.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { TimeChart } from "../parts/time-chart.tsx";
import { countsBy, gaugeOf, gaugeTotalOf, quantilesOf, ratesOf, totalOf } from "../live/rates.ts";
import { useScrapes, type Scraped } from "../live/use-scrapes.ts";
import { rateText, secondsText, shareText, shortCount } from "../service/format.ts";
import type { LabelFilter, Scrape } from "../service/prometheus.ts";
import { mayUse, useSession } from "../service/session.ts";
import { Readiness } from "./readiness.tsx";
import { RecentBatches } from "./recent-batches.tsx";

/** What happens now: of the whole service for an operator, of the tenant's own batches for everybody else. */
export function Live() {
  const { key } = useSession();
  return (
    <>
      <h1>Live</h1>
      {mayUse(key, "operator") ? <Figures /> : <NotAnOperator />}
      <div class="grid">
        {!mayUse(key, "operator") && <Readiness />}
        <RecentBatches />
      </div>
    </>
  );
}

function NotAnOperator() {
  return (
    <p class="note">
      Throughput, backlog and latencies concern all tenants and are shown to keys with the scope <code>operator</code>.
      Below are the batches of this key's tenant.
    </p>
  );
}

function Figures() {
  const { api } = useSession();
  const { scrapes, error } = useScrapes(api);
  const now = scrapes.at(-1);
  if (now === undefined)
    return error === undefined ? <p class="soft">Reading the metrics …</p> : <ProblemNote error={error} />;
  return (
    <>
      {error !== undefined && <ProblemNote error={error} />}
      <Tiles scrapes={scrapes} now={now.scrape} />
      <div class="grid">
        <Throughput scrapes={scrapes} />
        <Latency scrapes={scrapes} />
        <Acceptance now={now.scrape} />
        <Refusals now={now.scrape} />
        <Readiness />
      </div>
    </>
  );
}

interface Figured {
  readonly scrapes: readonly Scraped[];
  readonly now: Scrape;
}

function Tiles({ scrapes, now }: Figured) {
  const seen = totalOf(now, "ingest_source_inputs_total");
  const letIn = totalOf(now, "ingest_source_inputs_total", { outcome: ["accepted", "duplicate"] });
  const freshness = quantilesOf(scrapes, { name: "ingest_freshness_seconds", quantile: 0.95 }).at(-1) ?? null;
  const oldestSeconds = gaugeOf(now, "wal_backlog_oldest_age_seconds") ?? 0;
  const waitingMessages = gaugeTotalOf(now, "queue_backlog_messages");
  const lateObjects = gaugeOf(now, "wal_backlog_objects");
  const violations = totalOf(now, "isolation_violations_total");
  return (
    <dl class="tiles">
      <Tile
        label="indexed per second"
        value={rateText(ratesOf(scrapes, "ingest_processed_total", { outcome: "indexed" }).at(-1) ?? 0)}
        note={`${shortCount(totalOf(now, "ingest_processed_total", { outcome: "indexed" }))} in all`}
      />
      <Tile label="let in" value={seen === 0 ? "–" : shareText(letIn / seen)} note={`of ${shortCount(seen)} inputs`} />
      <Tile label="searchable, p95" value={secondsText(freshness)} note="from accepted, last minute" />
      <Tile
        label="backlog"
        value={countOrDash(waitingMessages)}
        note={
          oldestSeconds === 0
            ? `messages wait; ${countOrDash(lateObjects)} late`
            : `oldest not applied ${secondsText(oldestSeconds)}`
        }
        tone={oldestSeconds > 900 ? "bad" : oldestSeconds > 120 ? "warn" : "plain"}
      />
      <Tile
        label="sessions open"
        value={countOrDash(gaugeOf(now, "sessions_open"))}
        note={`${countOrDash(gaugeOf(now, "sessions_waiting"))} waiting`}
      />
      <Tile
        label="foreign rows"
        value={shortCount(violations)}
        note="held back; anything but 0 is an incident"
        tone={violations > 0 ? "bad" : "good"}
      />
    </dl>
  );
}

function countOrDash(count: number | undefined): string {
  return count === undefined ? "–" : shortCount(count);
}

function Throughput({ scrapes }: Pick<Figured, "scrapes">) {
  const rate = (outcome: string) => ratesOf(scrapes, "ingest_processed_total", { outcome });
  return (
    <Panel title="Throughput, inputs per second">
      <TimeChart
        label="Inputs per second by outcome"
        timesMs={scrapes.map(({ atMs }) => atMs)}
        lines={[
          { name: "accepted", colour: "--info", values: rate("accepted") },
          { name: "indexed", colour: "--good", values: rate("indexed") },
          { name: "quarantined", colour: "--warn", values: rate("quarantined") },
          { name: "rejected", colour: "--bad", values: rate("rejected") },
        ]}
        format={rateText}
      />
    </Panel>
  );
}

function Latency({ scrapes }: Pick<Figured, "scrapes">) {
  const p95 = (name: HistogramName, labels: LabelFilter = {}) => quantilesOf(scrapes, { name, labels, quantile: 0.95 });
  return (
    <Panel title="Latency, p95 of the last minute">
      <TimeChart
        label="95th percentile of latencies"
        timesMs={scrapes.map(({ atMs }) => atMs)}
        lines={[
          { name: "requests", colour: "--info", values: p95("http_request_duration_seconds") },
          { name: "search", colour: "--good", values: p95("http_request_duration_seconds", { route: "/v1/search" }) },
          { name: "embedder", colour: "--warn", values: p95("embedder_request_duration_seconds") },
          { name: "database", colour: "--soft", values: p95("database_call_duration_seconds") },
        ]}
        format={secondsText}
      />
    </Panel>
  );
}

const EDGE_OUTCOMES = ["accepted", "duplicate", "quarantined", "rejected"] as const;

function Acceptance({ now }: Pick<Figured, "now">) {
  const bySource = countsBy(now, "ingest_source_inputs_total", "source")
    .toSorted((a, b) => b.count - a.count)
    .slice(0, 10);
  return (
    <Panel title="Acceptance by source">
      {bySource.length === 0 ? (
        <Empty title="No inputs yet">
          Send some with <code>POST /v1/documents</code>, or run <code>make demo</code>.
        </Empty>
      ) : (
        <ul class="sources">
          {bySource.map(({ name, count }) => (
            <li>
              <span class="name">{name === "" ? "(no source)" : name}</span>
              <StackedBar
                label={name}
                parts={EDGE_OUTCOMES.map((outcome) => ({
                  word: outcome,
                  count: totalOf(now, "ingest_source_inputs_total", { source: name, outcome }),
                }))}
              />
              <span class="number">{shortCount(count)}</span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Refusals({ now }: Pick<Figured, "now">) {
  const rows = countsBy(now, "ingest_rejected_total", "code");
  return (
    <Panel title="Refused, by reason">
      {rows.length === 0 ? (
        <p class="soft">
          <Badge tone="good">none</Badge> Nothing was refused.
        </p>
      ) : (
        <BarList rows={rows} tone="bad" />
      )}
    </Panel>
  );
}
