import {
  batchStatusSchema,
  ingestReportSchema,
  type BatchStatus,
  type IngestReport,
} from "../../lib/contract/batch.ts";
import { BarList, StackedBar } from "../parts/bars.tsx";
import { State } from "../parts/badge.tsx";
import { Panel, Tile } from "../parts/panel.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { countText, rateText, secondsText, shareText, timeText } from "../service/format.ts";
import { useSession } from "../service/session.ts";
import { useLoaded } from "../service/use-loaded.ts";
import { hashOf } from "../service/use-hash.ts";
import { outcomeParts } from "./batch-table.tsx";
import { ReceiptsOfBatch } from "./receipts-of-batch.tsx";

const EVERY_MS = 3_000;

/** One batch: where it stands, its report, and what became of each input. */
export function Batch({ tag }: { readonly tag: string }) {
  const { api } = useSession();
  const path = `/v1/batches/${encodeURIComponent(tag)}`;
  const { value, error } = useLoaded(
    (signal) => api.ask({ path, schema: batchStatusSchema, signal }),
    [api, path],
    EVERY_MS,
  );
  return (
    <>
      <p class="crumbs">
        <a href={hashOf("batches")}>Batches</a>
      </p>
      <h1>{tag}</h1>
      {error !== undefined && <ProblemNote error={error} />}
      {value !== undefined && (
        <>
          <Standing batch={value} />
          <Report path={`${path}/report`} isDone={value.pending_count === 0} />
          <ReceiptsOfBatch tag={tag} key={value.last_applied_at} />
        </>
      )}
    </>
  );
}

function Standing({ batch }: { readonly batch: BatchStatus }) {
  const ended = batch.document_count - batch.pending_count;
  return (
    <Panel title="Progress" aside={<State word={batch.state} />}>
      <progress max={Math.max(1, batch.document_count)} value={ended} aria-label="Inputs that have ended" />
      <p class="soft">
        {countText(ended)} of {countText(batch.document_count)} inputs have ended
        {batch.pending_count > 0 && batch.eta_seconds !== null && `, about ${secondsText(batch.eta_seconds)} left`}
      </p>
      <StackedBar label="Inputs by outcome" parts={outcomeParts(batch)} />
      <ul class="legend">
        {outcomeParts(batch)
          .filter(({ count }) => count > 0)
          .map(({ word, count }) => (
            <li>
              <State word={word} /> {countText(count)}
            </li>
          ))}
      </ul>
      <dl class="tiles">
        <Tile
          label="chunks"
          value={countText(batch.chunk_count)}
          note={`${countText(batch.chunk_reused_count)} with known vectors`}
        />
        <Tile label="tokens" value={countText(batch.token_count)} />
        <Tile
          label="documents per second"
          value={batch.documents_per_second === null ? "–" : rateText(batch.documents_per_second)}
        />
        <Tile label="last applied" value={timeText(batch.last_applied_at)} />
      </dl>
    </Panel>
  );
}

function Report({ path, isDone }: { readonly path: string; readonly isDone: boolean }) {
  const { api } = useSession();
  const { value, error } = useLoaded(
    async (signal) => (isDone ? api.ask({ path, schema: ingestReportSchema, signal }) : undefined),
    [api, path, isDone],
  );
  if (!isDone) return <p class="note">The report is written once every input has ended.</p>;
  if (error !== undefined) return <ProblemNote error={error} />;
  if (value === undefined) return <p class="soft">Reading the report …</p>;
  return <ReportPanels report={value} />;
}

function ReportPanels({ report }: { readonly report: IngestReport }) {
  return (
    <div class="grid">
      <Panel title="By source">
        <ul class="sources">
          {report.sources.slice(0, 12).map((source) => (
            <li>
              <span class="name">{`${source.source === "" ? "(no source)" : source.source} · ${source.tier}`}</span>
              <StackedBar
                label={source.source}
                parts={Object.entries(source.outcomes).map(([word, count]) => ({ word, count }))}
              />
              <span class="number">{countText(source.document_count)}</span>
              {source.relaxed_count > 0 && (
                <span class="soft small">{shareText(source.fallback_fraction)} by relaxed thresholds</span>
              )}
            </li>
          ))}
        </ul>
      </Panel>
      <Panel title="Reasons">
        {report.reasons.length === 0 ? (
          <p class="soft">Nothing was held back.</p>
        ) : (
          <BarList
            rows={report.reasons.map(({ outcome, code, input_count: count }) => ({
              name: `${outcome}: ${code}`,
              count,
            }))}
            tone="warn"
          />
        )}
      </Panel>
      <Panel title="Personal data found">
        {report.pii.length === 0 ? (
          <p class="soft">None was found.</p>
        ) : (
          <BarList rows={report.pii.map(({ type, span_count: count }) => ({ name: type, count }))} tone="warn" />
        )}
      </Panel>
      <Panel title="Length of texts, characters">
        <BarList
          rowsMax={16}
          rows={report.lengths.map((bin) => ({
            name: `${countText(bin.characters_from)} to ${countText(bin.characters_below - 1)}`,
            count: bin.input_count,
          }))}
        />
      </Panel>
    </div>
  );
}
