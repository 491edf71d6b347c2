import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCli, type CliRun } from "./run-cli.ts";

const RUN = {
  run_id: "restore-01M8",
  job: "restore",
  started_by: "hand",
  dry_run: false,
  state: "done",
  error_code: null,
  scheduled_at: "2026-11-25T03:00:00.000Z",
  started_at: "2026-11-25T03:00:01.000Z",
  finished_at: "2026-11-25T03:00:03.500Z",
  duration_ms: 2_500,
  report_key: null,
};
const REPORT = {
  code: null,
  backup_id: "20261125T020000Z",
  tenants_total: 2,
  tenant_count: 2,
  document_count: 1_200,
  chunk_count: 5_000,
  row_count: 9_000,
  missing_document_count: 0,
  damaged_count: 0,
  damaged: [],
  refused_tenants: [],
  elapsed_seconds: 61.5,
};

describe("jeeves restore", () => {
  let server: Server;
  let url = "";
  let asked: [string | undefined, unknown][] = [];
  let runs: { readonly state: string; readonly report: object; readonly error_code?: string }[] = [];
  beforeEach(async () => {
    asked = [];
    server = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => (body += text));
      request.on("end", () => {
        asked.push([request.url, JSON.parse(body)]);
        const isSweep = request.url?.includes("/sweep/") === true;
        const answer = isSweep ? { ...RUN, job: "sweep", report: { sentCount: 4 } } : { ...RUN, ...runs.shift() };
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    url = typeof address === "object" ? `http://127.0.0.1:${address?.port}` : "";
  });
  afterEach(() => void server.close());

  const restore = (...words: string[]): Promise<CliRun> =>
    runCli(["restore", ...words, "--url", url, "--key", "jvk_test"]);

  it("asks until all is restored, says how long it took, and lets the sweeper bring the rest", async () => {
    runs = [
      { state: "partial", report: { ...REPORT, tenant_count: 1 } },
      { state: "done", report: REPORT },
    ];
    const { exitCode, stdout, stderr } = await restore("--at", "2026-11-25T12:00:00Z");
    expect(exitCode).toBe(0);
    expect(stderr).toContain("1/2 tenants");
    expect(stdout).toContain("RTO: 61.5 s");
    expect(stdout).toContain("sweep: 4 ranges");
    const parameters = { at: "2026-11-25T12:00:00Z" };
    expect(asked).toEqual([
      ["/v1/admin/jobs/restore/run", { dry_run: false, parameters }],
      ["/v1/admin/jobs/restore/run", { dry_run: false, parameters }],
      ["/v1/admin/jobs/sweep/run", { dry_run: false }],
    ]);
  });

  it("names what could not be read, and ends with 1", async () => {
    const damaged = [{ key: "backups/a/b/documents-1.1.mpz", code: "pack_damaged", block: 3 }];
    runs = [
      {
        state: "failed",
        error_code: "items_failed",
        report: { ...REPORT, damaged_count: 1, damaged, missing_document_count: 64 },
      },
    ];
    const { exitCode, stdout } = await restore();
    expect(exitCode).toBe(1);
    expect(stdout).toContain("backups/a/b/documents-1.1.mpz, block 3");
    expect(stdout).toContain("64 documents of the backup are missing");
  });

  it("says why nothing was restored, and sweeps nothing", async () => {
    runs = [{ state: "failed", report: { code: "tenant_not_empty", refused_tenants: ["acme"], elapsed_seconds: 0 } }];
    const { exitCode, stderr } = await restore();
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/tenant_not_empty[^]*acme/);
    expect(asked).toHaveLength(1);
  });

  it("says so where a run threw, and does not call it restored", async () => {
    runs = [{ state: "failed", error_code: "internal", report: {} }];
    const { exitCode, stderr } = await restore();
    expect(exitCode).toBe(1);
    expect(stderr).toContain("internal: the same command goes on");
    expect(asked).toHaveLength(1);
  });

  it("takes a moment that is one", async () => {
    expect((await restore("--at", "yesterday")).exitCode).toBe(2);
    expect(asked).toEqual([]);
  });
});
