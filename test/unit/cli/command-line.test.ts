import { describe, expect, it } from "vitest";
import { closestWord } from "../../../src/cli/arguments/closest-word.ts";
import { runCli } from "./run-cli.ts";

describe("the command line", { timeout: 60_000 }, () => {
  it("lists its commands, and says how to get the help of one", async () => {
    const { exitCode, stdout } = await runCli([]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^ {2}inspect +what the system would do/m);
    expect(stdout).toContain("jeeves help COMMAND");
  });

  it("gives the same help in three ways", async () => {
    const runs = await Promise.all([
      runCli(["help", "inspect"]),
      runCli(["inspect", "--help"]),
      runCli(["inspect", "-h"]),
    ]);
    expect(runs.map((run) => run.exitCode)).toEqual([0, 0, 0]);
    expect(new Set(runs.map((run) => run.stdout)).size).toBe(1);
    expect(runs[0]?.stdout).toContain("--parts LIST");
  });

  it("refuses what it does not know with code 2, and says what was probably meant", async () => {
    const [command, flag, value] = await Promise.all([
      runCli(["inspekt"]),
      runCli(["inspect", "--polcy", "x"]),
      runCli(["inspect", "-", "--parts", "pii,chunk"]),
    ]);
    expect(command).toMatchObject({ exitCode: 2, stdout: "" });
    expect(command.stderr).toContain('did you mean "inspect"?');
    expect(flag).toMatchObject({ exitCode: 2, stdout: "" });
    expect(flag.stderr).toContain('did you mean "--policy"?');
    expect(value.exitCode).toBe(2);
  });

  it("has no colours where there is no terminal", async () => {
    const { stdout } = await runCli(["inspect", "-", "--parts", "pii"], { stdin: '{"text":"call jo@example.com"}' });
    expect(stdout).toContain("EMAIL_ADDRESS");
    expect(stdout).not.toContain("\u001b");
  });
});

describe("the suggestion", () => {
  it("is a word at most two edits away, or one that begins so, and otherwise none", () => {
    const known = ["curate", "ingest", "inspect", "quarantine"];
    expect(closestWord("curte", known)).toBe("curate");
    expect(closestWord("inspct", known)).toBe("inspect");
    expect(closestWord("quar", known)).toBe("quarantine");
    expect(closestWord("deploy", known)).toBeUndefined();
  });
});
