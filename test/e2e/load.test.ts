import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadReportSchema, type LoadReport } from "../../bench/load/load-report.ts";

const BENCH = fileURLToPath(new URL("../../bench/load/main.ts", import.meta.url));
/** A few seconds of each phase, and a queue so short that an overload of seconds fills it. */
const SIZE = [
  ["--chunks", "120"],
  ["--level-seconds", "4"],
  ["--levels", "0.5,3"],
  ["--overload-seconds", "4"],
  ["--recovery-seconds", "8"],
  ["--backlog-max", "12"],
].flat();

/** Below what the suite gives a hook: then the bench ends its stack by itself. */
const BENCH_TIMEOUT_MS = 220_000;

let folder = "";
let report: LoadReport;
let page = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "jeeves-load-"));
  await promisify(execFile)(process.execPath, [BENCH, ...SIZE, "--out", folder], { timeout: BENCH_TIMEOUT_MS });
  report = loadReportSchema.parse(JSON.parse(await readFile(join(folder, "load.json"), "utf8")));
  page = await readFile(join(folder, "load.html"), "utf8");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const phaseOf = (kind: string) => {
  const phase = report.phases.find((candidate) => candidate.kind === kind);
  if (phase === undefined) throw new Error(`no phase ${kind}`);
  return phase;
};

describe("make load, small", () => {
  it("loses nothing that was accepted, and indexes all of it anew", () => {
    for (const { lost, requests, outcomes, verified, chunksReused } of report.phases) {
      expect(lost).toBe(0);
      expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(requests.accepted);
      expect(verified.held).toBe(verified.asked);
      expect(chunksReused).toBe(0);
    }
    expect(phaseOf("bulk").chunks).toBeGreaterThan(60);
  });

  it("is answered with 202, or with 429 and Retry-After, when ten times as much comes", () => {
    const { requests } = phaseOf("overload");
    expect(requests.refused).toBeGreaterThan(0);
    expect(requests.accepted).toBeGreaterThan(0);
    expect(requests).toMatchObject({ refusedWithoutRetryAfter: 0, other: 0, unanswered: 0 });
    expect(report.recovery?.backlogGoneSeconds).not.toBeNull();
  });

  it("measures each part, the queue, and searches meanwhile", () => {
    const parts = new Set(report.memory.filter(({ samples }) => samples.length > 0).map(({ part }) => part));
    for (const part of ["embedder", "workerd", "stack"]) expect(parts).toContain(part);
    expect(Math.max(...report.queue.map(({ messages }) => messages ?? 0))).toBeGreaterThan(0);
    expect(phaseOf("bulk").search.count + phaseOf("overload").search.count).toBeGreaterThan(0);
  });

  it("leaves a page that loads nothing from anywhere", () => {
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/<script|https?:\/\//);
    expect(page.match(/<svg/g)?.length).toBe(5);
  });
});
