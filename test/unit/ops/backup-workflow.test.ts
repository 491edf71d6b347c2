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
});
const workflowSchema = z.strictObject({
  name: z.string(),
  on: z.strictObject({
    schedule: z.array(z.strictObject({ cron: z.string() })).length(1),
    workflow_dispatch: z.null(),
  }),
  permissions: z.strictObject({ contents: z.literal("read") }),
  concurrency: z.strictObject({ group: z.string(), "cancel-in-progress": z.literal(false) }),
  jobs: z.strictObject({
    dump: z.strictObject({
      name: z.string(),
      if: z.string(),
      "runs-on": z.string(),
      "timeout-minutes": z.int(),
      environment: z.string(),
      steps: z.array(stepSchema),
    }),
  }),
});

const text = readFileSync(".github/workflows/backup-pgdump.yaml", "utf8");
const workflow = workflowSchema.parse(parse(text));
const { steps, if: condition } = workflow.jobs.dump;
const makefile = readFileSync("Makefile", "utf8");
const targets = new Set([...makefile.matchAll(/^([a-z][a-z-]*):/gm)].map(([, target]) => target));

describe("the workflow of database dumps", () => {
  it("runs every night, after no fork and before the backup, where a recipient is named", () => {
    expect(workflow.on.schedule[0]?.cron).toMatch(/^\d+ 1 \* \* \*$/);
    expect(condition).toContain("vars.BACKUP_AGE_RECIPIENT != ''");
  });

  it("does nothing but targets of the Makefile, by pinned actions", () => {
    for (const { run, uses } of steps) {
      if (run !== undefined) expect(targets, run).toContain(/^make ([a-z-]+)$/.exec(run)?.[1]);
      if (uses !== undefined) expect(uses).toMatch(/^actions\/(checkout|setup-node)@v\d+\.\d+\.\d+$/);
    }
  });

  it("keeps a dump from everybody: encrypted before it is written, no artifact, secrets only in the step that needs them", () => {
    const dump = steps.find(({ env }) => env?.["DATABASE_URL"] !== undefined);
    expect(dump?.run).toBe("make backup-pgdump-encrypted");
    expect(makefile).toMatch(/^backup-pgdump-encrypted:.*\n\t@\$\(NODE\) ops\/pgdump\/main\.ts --encrypted$/m);
    expect(text).not.toContain("upload-artifact");
    const secrets = steps.map(
      ({ env = {} }) => Object.values(env).filter((value) => value.includes("secrets.")).length,
    );
    expect(secrets.filter((count) => count > 0)).toEqual([1, 2]);
    expect(readFileSync("ops/pgdump/upload.sh", "utf8")).not.toMatch(/\.dump(?!\.age)["' ]/);
  });
});
