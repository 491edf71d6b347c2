import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { MINUTE_MS } from "../../../src/lib/base/durations.ts";
import { CRON_LINES } from "../../../src/lib/flows/jobs/job.ts";
import { JOBS } from "../../../src/workers/jobs.ts";

const PROJECT = new URL("../../../", import.meta.url);
const wrangler = readFileSync(new URL("wrangler.toml", PROJECT), "utf8");
const document = readFileSync(new URL("docs/cron.md", PROJECT), "utf8");

/** Wall time of one invocation by a cron trigger (Cloudflare), and what is left of it for everything but jobs. */
const INVOCATION_MS = 15 * MINUTE_MS;
const RESERVE_MS = 60_000;

describe("the schedule", () => {
  it("has the lines of wrangler.toml, each with a job", () => {
    const crons = /^crons = \[([^\]]*)\]$/m.exec(wrangler)?.[1] ?? "";
    expect([...crons.matchAll(/"([^"]+)"/g)].map(([, line]) => line)).toEqual(Object.keys(CRON_LINES));
    expect(new Set(JOBS.flatMap((job) => job.cron ?? []))).toEqual(new Set(Object.keys(CRON_LINES)));
  });

  it("is what docs/cron.md says: each line, when it fires, its jobs in their order with their budgets", () => {
    const rows = JOBS.map(({ name, cron, timeMsMax, summary }) => {
      const when = cron === null ? "`-` | by hand" : `\`${cron}\` | ${CRON_LINES[cron]}`;
      return `| ${when} | \`${name}\` | ${timeMsMax / 1000} s | ${summary} |`;
    });
    const [table = ""] = document.split("\n## ", 1);
    const found = table.split("\n").filter((line) => line.startsWith("| `"));
    expect(found).toEqual(rows);
  });

  it("fits: the jobs of a line have no more time together than their invocation, and those of five minutes end before the next tick", () => {
    for (const cron of Object.keys(CRON_LINES)) {
      const togetherMs = JOBS.filter((job) => job.cron === cron).reduce((sum, job) => sum + job.timeMsMax, 0);
      expect(togetherMs, cron).toBeLessThanOrEqual(
        cron.startsWith("*/5 ") ? 5 * MINUTE_MS : INVOCATION_MS - RESERVE_MS,
      );
    }
  });

  it("names each job once, as metrics, keys and paths take names", () => {
    expect(new Set(JOBS.map((job) => job.name)).size).toBe(JOBS.length);
    for (const { name, summary } of JOBS) {
      expect(name).toMatch(/^[a-z]+(_[a-z]+)*$/);
      expect(summary).not.toMatch(/[.|\n]/);
    }
  });
});
