import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { text as textOf } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { piiPolicySchema } from "../../../src/lib/contract/pii.ts";
import { rescanRequestSchema } from "../../../src/lib/contract/pii-rescan.ts";
import { spansToRedact } from "../../../src/lib/pii/apply-policy.ts";
import { findPii } from "../../../src/lib/pii/find-pii.ts";
import { importPiiKey } from "../../../src/lib/pii/pii-key.ts";
import { Sealer } from "../../../src/lib/pii/seal.ts";
import { runCli } from "./run-cli.ts";

const MAIN = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));
const TEXT = "Write to ada@example.org,\nnot to bob@example.org.\n";
const POLICY = piiPolicySchema.parse({ actions: { EMAIL_ADDRESS: "redact" } });

let folder: string;

async function sealed(fill: number): Promise<string> {
  const key = await importPiiKey(new Uint8Array(32).fill(fill));
  if (!key.ok) throw new Error(key.error.code);
  return new Sealer(key.value).seal(TEXT, spansToRedact(findPii(TEXT), POLICY));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "jeeves-pii-"));
  await writeFile(join(folder, "a.key"), `${Buffer.alloc(32, 1).toString("base64")}\n`);
  await writeFile(join(folder, "b.key"), `${Buffer.alloc(32, 2).toString("base64")}\n`);
  await writeFile(join(folder, "a.txt"), await sealed(1));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("jeeves pii reveal", { timeout: 60_000 }, () => {
  const cli = (words: readonly string[], stdin = "") => runCli(["pii", "reveal", ...words], { cwd: folder, stdin });

  it("writes the text as it was, from a file or the standard input, and says how many it opened", async () => {
    const fromFile = await cli(["a.txt", "--key-file", "a.key"]);
    expect(fromFile).toMatchObject({ exitCode: 0, stdout: TEXT });
    expect(fromFile.stderr).toContain("2 placeholders opened");
    const both = `${await sealed(1)}${await sealed(2)}`;
    const fromStdin = await cli(["-", "--key-file", "a.key", "--key-file", "b.key"], both);
    expect(fromStdin).toMatchObject({ exitCode: 0, stdout: TEXT + TEXT });
  });

  it("ends with 1 where some could not be opened, says how many and of which key, and opens the others", async () => {
    const both = `${await sealed(1)}${await sealed(2)}[PERSON_1]`;
    const { exitCode, stdout, stderr } = await cli(["-", "--key-file", "a.key"], both);
    expect(exitCode).toBe(1);
    expect(stdout).toBe(`${TEXT}${await sealed(2)}[PERSON_1]`);
    expect(stderr).toMatch(/2 placeholders opened; 2 could not be opened; 2 of key [0-9a-f]{8}; 1 numbered/);
    const json = await cli(["-", "--key-file", "a.key", "--json"], both);
    expect(JSON.parse(json.stdout)).toMatchObject({ opened_count: 2, broken_count: 0, numbered_count: 1 });
  });

  it("needs a text and a key, and says which one is missing or wrong", async () => {
    const runs = await Promise.all([
      cli(["a.txt"]),
      cli(["--key-file", "a.key"]),
      cli(["a.txt", "--key-file", "a.txt"]),
      cli(["none.txt", "--key-file", "a.key"]),
    ]);
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([2, 2, 1, 1]);
    expect(runs[2]?.stderr).toContain("openssl rand -base64 32");
  });
});

describe("a command without the tenant's key", { timeout: 60_000 }, () => {
  it("numbers what the service would seal, and says so", async () => {
    await writeFile(join(folder, "policy.json"), JSON.stringify({ pii: { ...POLICY, reversible: true } }));
    const text = `The committee met on Tuesday and talked about the budget of the coming year, which nobody had read. ${TEXT}`;
    const run = (...words: readonly string[]) =>
      runCli([...words, "--policy", "policy.json", "--no-tokens"], { cwd: folder, stdin: JSON.stringify({ text }) });
    const curated = await run("curate", "-", "--out", "curated");
    const simulated = await run("ingest", "-", "--dry-run");
    for (const { exitCode, stderr } of [curated, simulated]) {
      expect(exitCode).toBe(0);
      expect(stderr).toContain("placeholders are numbered here");
    }
    expect(await readFile(join(folder, "curated", "curated.jsonl"), "utf8")).toContain("[EMAIL_ADDRESS_2]");
  });
});

describe("jeeves pii rescan, interrupted", { timeout: 60_000 }, () => {
  const IDS = ["0", "1", "2"].map((digit) => `00000000-0000-4000-8000-00000000000${digit}`);
  const asked: z.output<typeof rescanRequestSchema>[] = [];
  let server: Server;

  // Only a service of three pages that waits to be interrupted: the route itself is the business of the flow and system suites.
  beforeAll(async () => {
    server = createServer((request, response) => {
      void textOf(request).then((body) => {
        const { after, ...rest } = rescanRequestSchema.parse(JSON.parse(body));
        asked.push({ after, ...rest });
        const next = IDS[after === null ? 0 : IDS.indexOf(after) + 1] ?? null;
        const counts = { scanned_count: 1, unchanged_count: 0, redacted_count: 1, numbered_count: 0, failed_count: 0 };
        const total = rest.with_total ? 4 : null;
        const reply = {
          dry_run: rest.dry_run,
          rules_version: "1",
          total_count: total,
          ...counts,
          pii_counts: {},
          next,
        };
        response.setHeader("content-type", "application/json").end(JSON.stringify(reply));
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterAll(() => server.close());

  function environment(): NodeJS.ProcessEnv {
    const address = z.object({ port: z.int() }).parse(server.address());
    return { PATH: process.env["PATH"], JEEVES_URL: `http://127.0.0.1:${address.port}`, JEEVES_KEY: "jvk_test" };
  }

  it("ends with 130 between two pages, names the document, and goes on from there", async () => {
    const child = spawn(process.execPath, [MAIN, "pii", "rescan", "--page", "1"], { env: environment() });
    let stderr = "";
    server.once("request", () => child.kill("SIGINT"));
    child.stderr.setEncoding("utf8").on("data", (part: string) => (stderr += part));
    const [exitCode]: unknown[] = await once(child, "close");
    expect(exitCode).toBe(130);
    const after = /go on with --after (\S+)/.exec(stderr)?.[1] ?? "";
    expect(IDS).toContain(after);
    const before = asked.length;
    const rest = await runCli(["pii", "rescan", "--page", "1", "--after", after, "--json"], { env: environment() });
    expect(rest.exitCode, rest.stderr).toBe(0);
    expect(asked[before]).toMatchObject({ after, limit: 1, with_total: true });
    expect(asked.length).toBe(IDS.length + 1);
    expect(JSON.parse(rest.stdout)).toMatchObject({ redacted_count: asked.length - before });
  });
});
