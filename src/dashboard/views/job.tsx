import { useState } from "preact/hooks";
import {
  jobRunListSchema,
  jobRunReportSchema,
  type JobEntry,
  type JobRunEntry,
  type JobRunReport,
} from "../../lib/contract/job.ts";
import { Badge, State } from "../parts/badge.tsx";
import { Confirm } from "../parts/confirm.tsx";
import { JsonText } from "../parts/json-text.tsx";
import { Panel } from "../parts/panel.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { secondsText, timeText } from "../service/format.ts";
import { useSession } from "../service/session.ts";
import { useAction } from "../service/use-action.ts";
import { useLoaded } from "../service/use-loaded.ts";

const RUNS = 10;

/** One job: its last runs with their reports, and the buttons that start it. */
export function Job({ job, onRun }: { readonly job: JobEntry; readonly onRun: () => void }) {
  const { api } = useSession();
  const path = `/v1/admin/jobs/${encodeURIComponent(job.name)}`;
  const [shown, setShown] = useState<JobRunReport | undefined>(undefined);
  const [isAsking, setAsking] = useState(false);
  const runs = useLoaded(
    async (signal) => (await api.ask({ path: `${path}/runs?limit=${RUNS}`, schema: jobRunListSchema, signal })).runs,
    [api, path],
  );
  const start = useAction(async (isDryRun: boolean) => {
    setAsking(false);
    setShown(
      await api.ask({ path: `${path}/run`, method: "POST", body: { dry_run: isDryRun }, schema: jobRunReportSchema }),
    );
    runs.reload();
    onRun();
  });
  const show = useAction(async (runId: string) => {
    setShown(await api.ask({ path: `${path}/runs/${encodeURIComponent(runId)}`, schema: jobRunReportSchema }));
  });
  const error = start.error ?? show.error ?? runs.error;
  return (
    <Panel
      title={job.name}
      aside={
        <span class="soft">
          {job.when}, at most {secondsText(job.budget_seconds)}
        </span>
      }
    >
      <p>It {job.summary}.</p>
      <div class="actions start">
        <button
          type="button"
          class="primary"
          disabled={start.isRunning || !job.enabled}
          onClick={() => setAsking(true)}
        >
          {start.isRunning ? "Running …" : "Run now"}
        </button>
        <button type="button" disabled={start.isRunning || !job.enabled} onClick={() => void start.run(true)}>
          Dry run
        </button>
        {!job.enabled && <span class="soft">The configuration switches it off.</span>}
      </div>
      {error !== undefined && <ProblemNote error={error} />}
      {isAsking && (
        <Confirm
          title={`Run ${job.name} now?`}
          action="Run"
          onConfirm={() => void start.run(false)}
          onCancel={() => setAsking(false)}
        >
          <p>
            It {job.summary}. A run by hand takes a minute at most; what is left the next one does. A dry run only says
            what it would do.
          </p>
        </Confirm>
      )}
      {shown !== undefined && <Report run={shown} />}
      <h3>Last runs</h3>
      <LastRuns runs={runs.value} onShow={(runId) => void show.run(runId)} />
    </Panel>
  );
}

function Report({ run }: { readonly run: JobRunReport }) {
  return (
    <section class="report" role="status" aria-label={`Report of ${run.run_id}`}>
      <p>
        <State word={run.state} /> {run.dry_run && <Badge tone="plain">dry run</Badge>}{" "}
        {run.error_code !== null && <code>{run.error_code}</code>}{" "}
        <span class="soft small">{run.report_key ?? "a dry run leaves no report in R2"}</span>
      </p>
      <JsonText value={run.report} label="Report" />
    </section>
  );
}

interface LastRunsProps {
  readonly runs: readonly JobRunEntry[] | undefined;
  readonly onShow: (runId: string) => void;
}

function LastRuns({ runs, onShow }: LastRunsProps) {
  if (runs === undefined) return null;
  if (runs.length === 0) return <p class="soft">It has not run yet.</p>;
  return (
    <ul class="runs">
      {runs.map((run) => (
        <li key={run.run_id}>
          <State word={run.state} /> {run.dry_run && <Badge tone="plain">dry run</Badge>} {timeText(run.started_at)},{" "}
          {secondsText(run.duration_ms === null ? null : run.duration_ms / 1000)}, by {run.started_by}{" "}
          <button
            type="button"
            class="small"
            onClick={() => onShow(run.run_id)}
            aria-label={`Report of the run of ${timeText(run.started_at)}`}
          >
            report
          </button>
        </li>
      ))}
    </ul>
  );
}
