import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";

const stepSchema = z.strictObject({
  name: z.string().optional(),
  uses: z.string().optional(),
  run: z.string().optional(),
  with: z.record(z.string(), z.unknown()).optional(),
  env: z.record(z.string(), z.string()).optional(),
  if: z.string().optional(),
});
const workflowSchema = z.strictObject({
  name: z.string(),
  on: z.looseObject({ push: z.strictObject({ paths: z.array(z.string()) }) }),
  permissions: z.strictObject({ contents: z.literal("read") }),
  concurrency: z.looseObject({}),
  jobs: z.record(z.string(), z.looseObject({ "timeout-minutes": z.int(), steps: z.array(stepSchema) })),
});

const workflow = workflowSchema.parse(parse(readFileSync(".github/workflows/curated-dataset.yaml", "utf8")));
const targets = new Set(
  [...readFileSync("Makefile", "utf8").matchAll(/^([a-z][a-z-]*):/gm)].map(([, target]) => target),
);
const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);

describe("the workflow of curated datasets", () => {
  it("runs on a commit of a dataset and may only read", () => {
    expect(workflow.on.push.paths).toContain("datasets/**/*.jsonl");
  });

  it("does nothing but targets of the Makefile", () => {
    const runs = steps.flatMap(({ run }) => run ?? []);
    expect(runs).toContain("make ingest-dry-run");
    for (const run of runs) expect(targets, run).toContain(/^make ([a-z-]+)$/.exec(run)?.[1]);
  });

  it("pins every action to a full version", () => {
    const uses = steps.flatMap((step) => step.uses ?? []);
    expect(uses.length).toBeGreaterThan(2);
    for (const action of uses) expect(action).toMatch(/^actions\/[a-z-]+@v\d+\.\d+\.\d+$/);
  });

  it("uploads the simulation's folder and summarises it, also when it failed", () => {
    const upload = steps.find(({ uses }) => uses?.startsWith("actions/upload-artifact@"));
    const simulation = steps.find(({ run }) => run === "make ingest-dry-run");
    expect(upload?.with?.["path"]).toBe(simulation?.env?.["OUT"]);
    expect(upload?.if).toContain("!cancelled()");
    expect(steps.find(({ run }) => run === "make simulation-summary")?.env?.["OUT"]).toBe(simulation?.env?.["OUT"]);
  });
});
