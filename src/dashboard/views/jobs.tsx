import { jobListSchema, type JobEntry } from "../../lib/contract/job.ts";
import { Badge, State } from "../parts/badge.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { agoText, secondsText } from "../service/format.ts";
import { useSession } from "../service/session.ts";
import { hashOf } from "../service/use-hash.ts";
import { useLoaded } from "../service/use-loaded.ts";
import { Job } from "./job.tsx";

const EVERY_MS = 5_000;

/** Scheduled work: when it runs, how it last ended, and a button for each. */
export function Jobs({ name }: { readonly name: string | undefined }) {
  const { api } = useSession();
  const { value, error, reload } = useLoaded(
    async (signal) => (await api.ask({ path: "/v1/admin/jobs", schema: jobListSchema, signal })).jobs,
    [api],
    EVERY_MS,
  );
  const chosen = value?.find((job) => job.name === name);
  return (
    <>
      <h1>Jobs</h1>
      {error !== undefined && <ProblemNote error={error} />}
      {value === undefined && error === undefined && <p class="soft">Reading the schedule …</p>}
      {chosen !== undefined && <Job job={chosen} key={chosen.name} onRun={reload} />}
      {value !== undefined && <JobTable jobs={value} chosenName={name} />}
    </>
  );
}

function JobTable({
  jobs,
  chosenName,
}: {
  readonly jobs: readonly JobEntry[];
  readonly chosenName: string | undefined;
}) {
  const nowMs = Date.now();
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">job</th>
            <th scope="col">when (UTC)</th>
            <th scope="col">last run</th>
            <th scope="col">took</th>
            <th scope="col">last done</th>
          </tr>
        </thead>
        <tbody>
          {jobs.map((job) => (
            <tr key={job.name} class={job.name === chosenName ? "chosen" : ""}>
              <td>
                <a href={hashOf("jobs", job.name)}>{job.name}</a>
                <br />
                <span class="soft small">{job.summary}</span>
              </td>
              <td>{job.enabled ? job.when : <Badge tone="plain">switched off</Badge>}</td>
              <td>
                {job.last_run === null ? <span class="soft">never</span> : <State word={job.last_run.state} />}{" "}
                {job.last_run?.error_code != null && <code class="small">{job.last_run.error_code}</code>}
              </td>
              <td class="soft nowrap">
                {secondsText(job.last_run?.duration_ms == null ? null : job.last_run.duration_ms / 1000)}
              </td>
              <td class="soft nowrap">{agoText(job.last_done_at, nowMs)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
