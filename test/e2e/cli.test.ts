import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { batchStatusSchema } from "../../src/lib/contract/batch.ts";
import { searchReplySchema } from "../../src/lib/contract/search.ts";
import { expectOk } from "../support/database.ts";
import { type CliRun, runCli } from "../unit/cli/run-cli.ts";
import { startSystem, type System } from "./support/system.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const outcomeSchema = z.looseObject({
  batch_tag: z.string(),
  sent_count: z.int(),
  known_count: z.int(),
  status: batchStatusSchema.nullable(),
});

let system: System;
let folder: string;
let key: string;

beforeAll(async () => {
  [system, folder] = await Promise.all([startSystem(), mkdtemp(join(tmpdir(), "jeeves-cli-"))]);
  key = await system.newKey("cli");
});
afterAll(async () => {
  await system?.close();
  await rm(folder, { recursive: true, force: true });
});

function environment(): NodeJS.ProcessEnv {
  return { JEEVES_URL: system.url, JEEVES_KEY: key, JEEVES_HOME: join(folder, "home") };
}

function cli(...words: readonly string[]): Promise<CliRun> {
  return runCli(words, { cwd: folder, env: environment() });
}

async function writeDataset(name: string, count: number): Promise<void> {
  const lines = Array.from({ length: count }, (_, index) =>
    JSON.stringify({
      id: `${name}-${index}`,
      text: `Entry ${index}: the keeper of lighthouse number ${index * 7} lit the lamp and wrote down the ship called ${name} ${index * 13}.`,
      source: "log-book",
    }),
  );
  await writeFile(join(folder, `${name}.jsonl`), `${lines.join("\n")}\n`);
}

describe("jeeves ingest", () => {
  it("sends a dataset, waits until it is counted, and a second run sends nothing", async () => {
    await writeDataset("first", 5);
    const sent = await cli("ingest", "first.jsonl", "--live", "--json");
    expect(sent.exitCode, sent.stderr).toBe(0);
    const outcome = outcomeSchema.parse(JSON.parse(sent.stdout));
    expect(outcome).toMatchObject({ sent_count: 5, known_count: 0, status: { state: "done" } });

    const again = outcomeSchema.parse(JSON.parse((await cli("ingest", "first.jsonl", "--live", "--json")).stdout));
    expect(again).toMatchObject({ batch_tag: outcome.batch_tag, sent_count: 0, known_count: 5 });

    const [status, found, report] = await Promise.all([
      cli("status", outcome.batch_tag, "--json"),
      cli("search", "the keeper lit the lamp", "--json"),
      cli("report", outcome.batch_tag, "--out", "batch.html"),
    ]);
    expect(batchStatusSchema.parse(JSON.parse(status.stdout)).document_count).toBe(5);
    expect(searchReplySchema.parse(JSON.parse(found.stdout)).hits.length).toBeGreaterThan(0);
    expect(report.exitCode, report.stderr).toBe(0);
    expect(await readFile(join(folder, "batch.html"), "utf8")).toContain(outcome.batch_tag);
  });

  it("goes on after Ctrl-C with what is missing, and every document is in the store once", async () => {
    const count = 900;
    await writeDataset("long", count);
    const child = spawn(process.execPath, [MAIN, "ingest", "long.jsonl", "--live", "--no-wait"], {
      cwd: folder,
      env: { PATH: process.env["PATH"], ...environment() },
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (text.includes("sent:")) child.kill("SIGINT");
    });
    const [exitCode]: unknown[] = await once(child, "close");
    expect(exitCode).toBe(130);

    const rest = await cli("ingest", "long.jsonl", "--live", "--no-wait", "--json");
    expect(rest.exitCode, rest.stderr).toBe(0);
    const outcome = outcomeSchema.parse(JSON.parse(rest.stdout));
    expect(outcome.known_count).toBeGreaterThan(0);
    expect(outcome.sent_count).toBeGreaterThan(0);
    expect(outcome.sent_count + outcome.known_count).toBe(count);
    const status = batchStatusSchema.parse(JSON.parse((await cli("status", outcome.batch_tag, "--json")).stdout));
    expect(status.document_count).toBe(count);
  });
});

describe("jeeves quarantine", () => {
  it("lists, shows, releases and purges what was held back", async () => {
    const blob = Buffer.from(Array.from({ length: 3_000 }, (_, index) => (index * 7919 + (index >> 3)) % 251)).toString(
      "base64",
    );
    await writeFile(join(folder, "blob.jsonl"), `${JSON.stringify({ id: "blob", text: blob })}\n`);
    await cli("ingest", "blob.jsonl", "--live");
    const listed = await cli("quarantine", "list", "--state", "held", "--json");
    const { quarantine_id: id } = z.looseObject({ quarantine_id: z.string() }).parse(JSON.parse(listed.stdout));
    expect((await cli("quarantine", "show", id)).stdout).toContain("encoded_blob");
    const released = await cli("quarantine", "release", id, "--note", "a sample", "--json");
    expect(JSON.parse(released.stdout)).toMatchObject({ state: "released" });
    expect(JSON.parse((await cli("quarantine", "purge", id, "--json")).stdout)).toMatchObject({ text_removed: true });
  });
});

describe("jeeves pii rescan", () => {
  it("says what newer rules would change, changes it page by page, and then finds nothing left", async () => {
    const mail = "keeper.of.the.lamp@example.org";
    const lines = ["one", "two", "three"].map((name, index) => {
      const from = index === 1 ? ` The keeper is ${mail}.` : "";
      return JSON.stringify({
        id: `rescan-${name}`,
        text: `Page ${name} of the old book of the harbour office.${from}`,
      });
    });
    await writeFile(join(folder, "rescan.jsonl"), lines.join("\n"));
    expect((await cli("ingest", "rescan.jsonl", "--live")).exitCode).toBe(0);
    const owner = system.database.ownerSql;
    const policy = JSON.stringify({ pii: { actions: { EMAIL_ADDRESS: "redact" } } });
    expectOk(
      await owner.query({ text: "update tenants set policy = $1::jsonb where tenant_id = 'cli'", params: [policy] }),
    );
    const stale = "update documents set pii_version = '0' where tenant_id = 'cli' and document_id like 'rescan-%'";
    expectOk(await owner.query({ text: stale, params: [] }));

    const said = await cli("pii", "rescan", "--dry-run", "--json");
    expect(said.exitCode, said.stderr).toBe(0);
    const expected = { scanned_count: 3, unchanged_count: 2, redacted_count: 1, failed_count: 0 };
    expect(JSON.parse(said.stdout)).toMatchObject({ dry_run: true, ...expected, pii_counts: { EMAIL_ADDRESS: 1 } });
    const done = await cli("pii", "rescan", "--page", "1");
    expect(done.exitCode, done.stderr).toBe(0);
    expect(done.stdout).toContain("3 documents that older rules saw");
    expect(done.stdout).toContain("1 redacted");
    await expect
      .poll(async () => JSON.parse((await cli("pii", "rescan", "--dry-run", "--json")).stdout), { timeout: 20_000 })
      .toMatchObject({ scanned_count: 0 });
    const found = await cli("search", "the old book of the harbour office", "--json");
    expect(found.stdout).toContain("[EMAIL_ADDRESS_1]");
    expect(found.stdout).not.toContain(mail);
  });
});

describe("exit codes of remote commands", () => {
  it("tell a service that is not there from a key that is not taken", async () => {
    const nowhere = await runCli(["status"], { env: { ...environment(), JEEVES_URL: "http://127.0.0.1:1" } });
    expect(nowhere).toMatchObject({ exitCode: 4, stdout: "" });
    const stranger = await runCli(["search", "x"], { env: { ...environment(), JEEVES_KEY: "jvk_wrong" } });
    expect(stranger).toMatchObject({ exitCode: 5, stdout: "" });
    const none = await runCli(["status"], { env: { JEEVES_HOME: join(folder, "empty") } });
    expect(none.exitCode).toBe(4);
  });
});
