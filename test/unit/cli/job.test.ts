import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CommandArguments } from "../../../src/cli/arguments/command-arguments.ts";
import { run } from "../../../src/cli/commands/job.ts";
import { tableLines } from "../../../src/cli/terminal/table.ts";
import { jobRunReportSchema, type JobRunReport } from "../../../src/lib/contract/job.ts";
import { runCli, type CliRun } from "./run-cli.ts";

const RUN: JobRunReport = {
  run_id: "sweep-01M8",
  job: "sweep",
  started_by: "hand",
  dry_run: false,
  state: "done",
  error_code: null,
  scheduled_at: "2026-11-25T03:00:00.000Z",
  started_at: "2026-11-25T03:00:01.000Z",
  finished_at: "2026-11-25T03:00:03.500Z",
  duration_ms: 2_500,
  report: { sentCount: 7, byTenant: { acme: 7 } },
  report_key: "job_reports/sweep/20261125T030001000Z.json",
};
const JOB = {
  name: "sweep",
  summary: "sends again",
  cron: "*/5 * * * *",
  when: "every five minutes",
  budget_seconds: 120,
  enabled: true,
  last_run: RUN,
  last_done_at: RUN.finished_at,
};

/** A service whose job has so many runs of work, or another answer. */
class JobService {
  readonly asked: [string, unknown][] = [];
  runs: readonly Partial<JobRunReport>[] = [];
  isHeld = false;
  readonly server: Server = createServer((request, response) => void this.#serve(request, response));

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += String(chunk);
    this.asked.push([`${request.method} ${request.url}`, body === "" ? undefined : JSON.parse(body)]);
    const answer = (value: unknown, status = 200): void =>
      void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
    if (request.url === "/v1/admin/jobs")
      answer({ jobs: [JOB, { ...JOB, name: "watch", enabled: false, last_run: null }] });
    else if (request.method === "GET" && request.url?.includes("/runs?") === true) answer({ runs: [RUN] });
    else if (request.method === "GET") answer(RUN);
    else if (this.isHeld) answer({ code: "conflict", detail: "another run of this job holds its lease" }, 409);
    else answer({ ...RUN, ...this.runs[Math.min(this.asked.length, this.runs.length) - 1] });
  }
}

describe("a table", () => {
  it("is as wide as its widest cells, colours not counted", () => {
    expect(
      tableLines([
        ["a", "\u001B[1mbb\u001B[22m", "c"],
        ["aaa", "b", ""],
      ]).map(stripVTControlCharacters),
    ).toEqual(["a    bb  c", "aaa  b"]);
  });
});

describe("jeeves job", () => {
  let service: JobService;
  let url = "";
  beforeEach(async () => {
    service = new JobService();
    service.server.listen(0, "127.0.0.1");
    await once(service.server, "listening");
    const address = service.server.address();
    url = typeof address === "object" ? `http://127.0.0.1:${address?.port}` : "";
  });
  afterEach(() => void service.server.close());

  const job = (...words: string[]): Promise<CliRun> =>
    runCli(["job", ...words], { env: { JEEVES_URL: url, JEEVES_KEY: "jvk_x" } });

  it("ls shows when each job runs and how it last ended", async () => {
    const { exitCode, stdout } = await job("ls");
    expect(exitCode).toBe(0);
    expect(stdout.split("\n").slice(0, 3)).toEqual([
      "job    when (UTC)          budget  last run                  took   last done",
      "sweep  every five minutes  120 s   2026-11-25 03:00:01 done  2.5 s  2026-11-25 03:00:03",
      "watch  switched off        120 s   never                            2026-11-25 03:00:03",
    ]);
    expect(JSON.parse((await job("ls", "--json")).stdout)).toMatchObject({
      jobs: [{ name: "sweep" }, { name: "watch" }],
    });
  });

  it("run goes on while work is left, and prints each report", async () => {
    service.runs = [{ state: "partial" }, { state: "partial", report: { sentCount: 9 } }, { state: "done" }];
    const { exitCode, stdout } = await job("run", "sweep", "--json");
    const lines = stdout.trim().split("\n");
    expect([exitCode, lines.map((line) => jobRunReportSchema.parse(JSON.parse(line)).state)]).toEqual([
      0,
      ["partial", "partial", "done"],
    ]);
    expect(service.asked).toEqual(lines.map(() => ["POST /v1/admin/jobs/sweep/run", { dry_run: false }]));
  });

  it("run ends where a run brings nothing new, and says that work is left", async () => {
    service.runs = [{ state: "partial" }];
    const { exitCode, stderr } = await job("run", "sweep");
    expect([exitCode, service.asked.length]).toEqual([0, 2]);
    expect(stderr).toContain("has work left");
  });

  it("run --dry-run asks once and says that nothing was changed", async () => {
    service.runs = [{ state: "partial", dry_run: true, report_key: null }];
    const { exitCode, stdout } = await job("run", "sweep", "--dry-run");
    expect([exitCode, service.asked]).toEqual([0, [["POST /v1/admin/jobs/sweep/run", { dry_run: true }]]]);
    expect(stdout).toContain("sweep-01M8  partial  2.5 s  dry run: nothing was changed");
    expect(stdout).toContain('  sentCount  7\n  byTenant   {"acme":7}');
  });

  it("run fails where the run failed, or another one holds the lease", async () => {
    service.runs = [{ state: "failed", error_code: "internal" }];
    const failed = await job("run", "sweep");
    expect([failed.exitCode, failed.stdout.split("\n")[0]]).toEqual([1, "sweep-01M8  failed (internal)  2.5 s"]);
    service.isHeld = true;
    const held = await job("run", "sweep");
    expect(held.exitCode).toBe(1);
    expect(held.stderr).toContain("holds its lease");
  });

  it("runs and show find runs of a job and one of them by its name", async () => {
    expect((await job("runs", "sweep", "--limit", "5")).stdout).toContain(
      "sweep-01M8  2026-11-25 03:00:01  hand  done",
    );
    const shown = await job("show", "profile_outbox-2026-11-25T03:00:00.000Z");
    expect(shown.stdout).toContain("job_reports/sweep/20261125T030001000Z.json");
    expect(service.asked.map(([request]) => request)).toEqual([
      "GET /v1/admin/jobs/sweep/runs?limit=5",
      "GET /v1/admin/jobs/profile_outbox/runs/profile_outbox-2026-11-25T03%3A00%3A00.000Z",
    ]);
  });

  it("says what it takes", async () => {
    const wrong = [[], ["stop"], ["run"], ["show"], ["run", "a", "b"]];
    for (const words of wrong) await expect(run(new CommandArguments(words, {}))).rejects.toThrow(/^job /);
  });
});
