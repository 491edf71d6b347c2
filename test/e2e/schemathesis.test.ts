import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startSystem, type System } from "./support/system.ts";

const run = promisify(execFile);
const VERSION = "4.32.5";
const VENV = fileURLToPath(new URL(`../../.jeeves/schemathesis-${VERSION}`, import.meta.url));
const SCHEMATHESIS = join(VENV, "bin", "schemathesis");
const CONFIG = fileURLToPath(new URL("support/schemathesis.toml", import.meta.url));
/** Bounds of one run: its time, and its failures before it ends. */
const RUN_SECONDS_MAX = 120;
const FAILURES_MAX = 20;

/** Operations that take frames of their own: its generator knows no such bytes. `test/workerd/session-frames.test.ts` sends them garbage. */
const WITHOUT_SERIALIZER = ["appendFrames"];
/** The key that asks is one of its tenant's: a generator that found its id would lock itself out. */
const WOULD_LOCK_OUT = ["revokeKey", "rotateKey"];

async function hasPython(): Promise<boolean> {
  return run("python3", ["-c", "import ensurepip, venv"]).then(
    () => true,
    () => false,
  );
}

const isRunnable = await hasPython();
if (!isRunnable && process.env["CI"] === "true") throw new Error("no Python with venv in CI");

describe.runIf(isRunnable)("the published schema, against the running system", () => {
  let system: System;
  let key = "";
  beforeAll(async () => {
    if (!existsSync(SCHEMATHESIS)) {
      await run("python3", ["-m", "venv", VENV]);
      await run(join(VENV, "bin", "pip"), ["install", "--quiet", `schemathesis==${VERSION}`]);
    }
    system = await startSystem();
    key = await system.newKey("fuzzed", { scopes: ["ingest", "search", "admin", "operator"] });
  }, 240_000);
  afterAll(() => system?.close());

  it("holds: no answer of 5xx, none that is not documented, none of another shape, whatever is sent", async () => {
    const excluded = [...WITHOUT_SERIALIZER, ...WOULD_LOCK_OUT].flatMap((id) => ["--exclude-operation-id", id]);
    const { code, stdout } = await run(
      SCHEMATHESIS,
      [
        ["--config-file", CONFIG, "run", `${system.url}/openapi.json`],
        ["--checks", "all", "--phases", "coverage,fuzzing", "--seed", "1", "--suppress-health-check", "all"],
        ["--header", `Authorization: Bearer ${key}`, "--request-timeout", "30", "--warnings", "off"],
        ["--max-time", String(RUN_SECONDS_MAX), "--max-failures", String(FAILURES_MAX)],
        excluded,
      ].flat(),
      { cwd: VENV, maxBuffer: 16 * 1024 * 1024, timeout: (RUN_SECONDS_MAX + 100) * 1_000 },
    ).then(
      ({ stdout: output }) => ({ code: 0, stdout: output }),
      (failure: { code?: number; stdout?: string }) => ({ code: failure.code ?? 1, stdout: failure.stdout ?? "" }),
    );
    // What it found stands in its output, with the request that shows it.
    expect(code === 0 ? "" : stdout).toBe("");
    expect(stdout).toMatch(/Tested: [4-9]\d/);
    expect(system.logLines.filter((line) => line.includes('"event":"request_failed"'))).toEqual([]);
  }, 300_000);
});
