import { jobListSchema, jobRunListSchema, jobRunReportSchema } from "../../lib/contract/job.ts";
import type { CommandArguments } from "../arguments/command-arguments.ts";
import { usageError } from "../command-error.ts";
import { requireConnection } from "../connection.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { askForRun, jobPath } from "../job/ask-for-run.ts";
import { jobTable, runTable, runText } from "../job/job-text.ts";
import { style } from "../terminal/style.ts";

const ACTIONS = ["ls", "run", "runs", "show"] as const;
/** Runs in a row of a job that has more to do: an hour of work. */
const ROUNDS_MAX = 60;
const RUNS_MAX = 500;

/** `jeeves job ls | run NAME | runs NAME | show RUN`: scheduled jobs, by an operator's key. */
export async function run(args: CommandArguments): Promise<ExitCode> {
  const [name = "", operand, ...more] = args.positionals;
  const action = ACTIONS.find((candidate) => candidate === name);
  if (action === undefined) throw usageError(`job takes one of ${ACTIONS.join(", ")}, not "${name}"`);
  if (more.length > 0) throw usageError(`job ${action} takes one name`);
  if (action === "ls") return list(args);
  if (operand === undefined)
    throw usageError(`job ${action} takes ${action === "show" ? "a run" : "the name of a job"}`);
  if (action === "run") return runNow(args, operand);
  return action === "runs" ? listRuns(args, operand) : show(args, operand);
}

async function list(args: CommandArguments): Promise<ExitCode> {
  const { api } = await requireConnection(args);
  const reply = await api.json(jobListSchema, { path: "/v1/admin/jobs" });
  console.log(args.flag("json") ? JSON.stringify(reply) : jobTable(reply.jobs));
  return EXIT.ok;
}

async function listRuns(args: CommandArguments, job: string): Promise<ExitCode> {
  const limit = args.integer("limit", { min: 1, max: RUNS_MAX }) ?? 20;
  const { api } = await requireConnection(args);
  const reply = await api.json(jobRunListSchema, { path: jobPath(job, `runs?limit=${limit}`) });
  if (args.flag("json")) console.log(JSON.stringify(reply));
  else console.log(reply.runs.length === 0 ? `${job} has not run yet` : runTable(reply.runs));
  return EXIT.ok;
}

async function show(args: CommandArguments, runId: string): Promise<ExitCode> {
  const { api } = await requireConnection(args);
  // A run is named after its job and when it was due, or a ulid: neither holds an underscore, and names of jobs hold no "-".
  const [job = ""] = runId.split("-", 1);
  const shown = await api.json(jobRunReportSchema, { path: jobPath(job, `runs/${encodeURIComponent(runId)}`) });
  console.log(args.flag("json") ? JSON.stringify(shown) : runText(shown));
  return EXIT.ok;
}

/** Runs the job until no work is left, or a run brings nothing new. */
async function runNow(args: CommandArguments, job: string): Promise<ExitCode> {
  const { api } = await requireConnection(args);
  const isDryRun = args.flag("dry-run");
  let before = "";
  for (let round = 1; ; round += 1) {
    const ended = await askForRun(api, job, { isDryRun });
    console.log(args.flag("json") ? JSON.stringify(ended) : runText(ended));
    if (ended.state === "failed" || ended.state === "died") return EXIT.failed;
    if (ended.state !== "partial" || isDryRun) return EXIT.ok;
    const report = JSON.stringify(ended.report);
    if (report === before || round === ROUNDS_MAX) {
      console.error(style.yellow(`  ${job} has work left; the schedule goes on with it`));
      return EXIT.ok;
    }
    before = report;
  }
}
