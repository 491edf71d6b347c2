import { DurableObject } from "cloudflare:workers";
import { HOUR_MS } from "../../lib/base/durations.ts";
import { mergeOf } from "../../lib/metrics/series.ts";
import { OTHER_SOURCE } from "../../lib/metrics/source-names.ts";

/** Series kept for good. Labels have few values, so this is never reached; past it new series are not added. */
const SERIES_MAX = 5_000;
/** Of them those of a source: clients name sources, and must not crowd out what is counted otherwise. Past it they are counted together. */
const SOURCE_SERIES_MAX = 1_000;
/** How long a flush is remembered, milliseconds: a repeat after a lost reply comes within seconds. */
const FLUSH_MEMORY_MS = HOUR_MS;

const MERGED = { add: "value + ?", latest: "max(value, ?)", last: "?" } as const;

/** Adds up the counters of all isolates. Methods never throw across the call: a metric is not worth a failed request. */
export class MetricsHub extends DurableObject<unknown> {
  readonly #sql: SqlStorage;

  constructor(state: DurableObjectState, env: unknown) {
    super(state, env);
    this.#sql = state.storage.sql;
    this.#sql.exec("create table if not exists totals (series text primary key, value real not null) without rowid");
    this.#sql.exec(
      "create table if not exists flushes (flush_id text primary key, at_ms integer not null) without rowid",
    );
  }

  /** Adds increments once for each `flushId`, however often they are sent. */
  add(flushId: string, increments: readonly (readonly [series: string, by: number])[]): { added: boolean } {
    const nowMs = Date.now();
    const seen = this.#sql.exec("insert into flushes values (?, ?) on conflict do nothing returning 1", flushId, nowMs);
    if (seen.toArray().length === 0) return { added: false };
    this.#sql.exec("delete from flushes where at_ms < ?", nowMs - FLUSH_MEMORY_MS);
    let room = SERIES_MAX - this.#count("%");
    let sourceRoom = SOURCE_SERIES_MAX - this.#count('%source="%');
    for (const [sent, by] of increments.slice(0, SERIES_MAX)) {
      const isOfSource = sent.includes('source="');
      const series =
        isOfSource && sourceRoom <= 0 && !this.#has(sent)
          ? sent.replace(/source="[^"]*"/, `source="${OTHER_SOURCE}"`)
          : sent;
      const present = this.#sql.exec(
        `update totals set value = ${MERGED[mergeOf(series)]} where series = ? returning 1`,
        by,
        series,
      );
      if (present.toArray().length > 0 || room <= 0) continue;
      this.#sql.exec("insert into totals values (?, ?)", series, by);
      room -= 1;
      if (isOfSource) sourceRoom -= 1;
    }
    return { added: true };
  }

  #count(like: string): number {
    return this.#sql.exec<{ n: number }>("select count(*) as n from totals where series like ?", like).one().n;
  }

  #has(series: string): boolean {
    return this.#sql.exec("select 1 from totals where series = ?", series).toArray().length > 0;
  }

  /** All totals. */
  read(): [series: string, value: number][] {
    return this.#sql
      .exec<{ series: string; value: number }>("select series, value from totals")
      .toArray()
      .map((row) => [row.series, row.value]);
  }
}
