import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Audit, AuditDiff } from "../../../src/lib/contract/audit.ts";
import { diffText } from "../../../src/lib/flows/audit/diff-text.ts";
import { runCli, type CliRun } from "./run-cli.ts";

const AUDIT: Audit = {
  schema_version: 1,
  day: "2026-11-25",
  started_at: "2026-11-25T04:00:00.000Z",
  finished_at: "2026-11-25T04:01:00.000Z",
  tenant_count: 2,
  unaudited: [],
  left_out_count: 0,
  totals: { documents: 1204, chunks: 5310 },
  findings: [],
  models: [{ model_id: 1, fingerprint: "test:hash@1", dimensions: 8, state: "active" }],
  tenants: [],
};
const DIFF: AuditDiff = {
  schema_version: 1,
  day: "2026-11-25",
  previous_day: "2026-11-24",
  alarming_count: 0,
  expected_count: 1,
  changes: [{ verdict: "expected", tenant_id: "acme", name: "chunks", before: 9, after: 12, reason: "growth" }],
};
const BROKEN: Audit = {
  ...AUDIT,
  day: "2026-11-24",
  findings: [{ check: "vector_norm", count: 2, subjects: ["acme/1/u/1/0"] }],
};

const asked: string[] = [];
let url = "";
let days = ["2026-11-25", "2026-11-24"];
const server: Server = createServer((request, response) => {
  asked.push(String(request.url));
  const path = String(request.url);
  const isText = request.headers.accept === "text/plain";
  const answer = (value: unknown): void =>
    void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
  if (path.startsWith("/v1/admin/audits?"))
    answer({ audits: days.map((day) => ({ day, size_bytes: 1204, has_diff: true })) });
  else if (path.endsWith("/diff") && isText)
    response.writeHead(200, { "content-type": "text/plain" }).end(diffText(DIFF));
  else if (path.endsWith("/diff")) answer(path.includes("24") ? { ...DIFF, alarming_count: 1 } : DIFF);
  else answer(path.includes("24") ? BROKEN : AUDIT);
});

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  url = typeof address === "object" ? `http://127.0.0.1:${address?.port}` : "";
});
afterAll(() => void server.close());

const audit = (...words: string[]): Promise<CliRun> =>
  runCli(["audit", ...words], { env: { JEEVES_URL: url, JEEVES_KEY: "jvk_x" } });

it("jeeves audit lists the days, shows one, and shows what is different, of the latest day where none is named", async () => {
  expect((await audit("ls")).stdout).toBe("2026-11-25  1,204 bytes\n2026-11-24  1,204 bytes\n");
  const shown = await audit("show");
  expect([shown.exitCode, shown.stdout.split("\n")]).toEqual([
    0,
    [
      "2026-11-25  2 tenants  2026-11-25T04:00:00.000Z to 2026-11-25T04:01:00.000Z",
      "  chunks     5,310",
      "  documents  1,204",
      "  active model test:hash@1",
      "  nothing is wrong",
      "",
    ],
  ]);
  const difference = await audit("diff");
  expect([difference.exitCode, difference.stdout]).toEqual([0, diffText(DIFF)]);
  expect(asked).toContain("/v1/admin/audits/2026-11-25/diff");
  expect(JSON.parse((await audit("diff", "--json")).stdout)).toEqual(DIFF);
});

it("ends with code 1 where something is wrong or alarming, so that a script can ask", async () => {
  const shown = await audit("show", "2026-11-24");
  expect([shown.exitCode, shown.stdout]).toEqual([1, expect.stringContaining("vector_norm: 2 (acme/1/u/1/0)")]);
  expect((await audit("diff", "2026-11-24")).exitCode).toBe(1);
});

it("says how to make an audit where there is none, and what it takes", async () => {
  days = [];
  const none = await audit("diff");
  expect([none.exitCode, none.stderr]).toEqual([1, expect.stringContaining("jeeves job run audit")]);
  expect((await audit("ls")).stdout).toContain("no audit yet");
  expect((await audit("cheer")).stderr).toContain("audit takes one of ls, show, diff");
});
