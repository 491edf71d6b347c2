import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { curateReportSchema } from "../../../src/lib/curate/curate-report.ts";
import { documentInputSchema } from "../../../src/lib/contract/document.ts";
import { runCli } from "./run-cli.ts";
import { tinyPdf } from "./tiny-pdf.ts";

const MAIN = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));
const LAMP =
  "The keeper climbed the stairs each evening to light the lamp, and wrote into his book what ships had passed and how the wind had turned.";
const NETS =
  "Nothing of this was known to the fishermen on the far shore, who mended their nets and waited for a calmer sea to take them out.";
const outputSchema = z.strictObject({ out: z.string(), report: curateReportSchema });
const CARD = "4111 1111 1111 1111";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "jeeves-curate-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function lines(name: string): Promise<readonly unknown[]> {
  const text = await readFile(join(folder, "out", name), "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line): unknown => JSON.parse(line));
}

async function writeSample(): Promise<void> {
  await mkdir(join(folder, "in", "letters"), { recursive: true });
  await writeFile(join(folder, "in", "letters", "lamp.md"), `# The lamp\r\n\r\n${LAMP}\r\nPaid with ${CARD}.\r\n`);
  await writeFile(join(folder, "in", "letters", "nets.txt"), NETS);
  await writeFile(join(folder, "in", "letters", "nets-again.txt"), NETS.toUpperCase());
  await writeFile(join(folder, "in", "blob.txt"), `${"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo0NTY3ODkrLw".repeat(40)}\n`);
  await writeFile(join(folder, "in", "empty.txt"), " \n");
  await writeFile(join(folder, "in", "page.pdf"), tinyPdf("A short line that was printed on a page of its own"));
  await writeFile(join(folder, "in", "broken.pdf"), "%PDF-1.4");
  await writeFile(join(folder, "in", "picture.txt"), Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 13));
  await writeFile(join(folder, "in", "thing.xyz"), "unknown");
}

function curate(...flags: readonly string[]) {
  return runCli(["curate", "in", "--out", "out", "--no-tokens", ...flags], { cwd: folder });
}

/** Processes of their own on a busy machine. */
const TIMEOUT_MS = 120_000;

describe("jeeves curate", { timeout: TIMEOUT_MS }, () => {
  it("gives each text a verdict and each unreadable file a code, and writes what may be stored", async () => {
    await writeSample();
    const { exitCode, stdout } = await curate("--json");
    expect(exitCode).toBe(0);
    const parsed = outputSchema.parse(JSON.parse(stdout)).report;
    expect(parsed.verdicts).toEqual({ accepted: 3, duplicate: 1, quarantined: 1, rejected: 1 });
    expect(parsed.refusals.map(({ code }) => code).sort()).toEqual(["file_binary", "format_unknown", "pdf_malformed"]);
    expect(parsed.pii).toContainEqual({ type: "CREDIT_CARD", action: "redact", span_count: 1, input_count: 1 });

    const dataset = (await lines("curated.jsonl")).map((line) => documentInputSchema.parse(line));
    expect(dataset).toContainEqual({
      id: "in/letters/lamp.md",
      text: `# The lamp\n\n${LAMP}\nPaid with [CREDIT_CARD_1].`,
      title: "The lamp",
      source: "letters",
      tier: "doc",
    });
    expect(await lines("verdicts.jsonl")).toContainEqual(
      expect.objectContaining({
        path: "in/letters/nets.txt",
        verdict: "duplicate",
        duplicate_of: "in/letters/nets-again.txt",
      }),
    );
    expect(await lines("quarantined.jsonl")).toMatchObject([
      { id: "in/blob.txt", reasons: [{ code: "encoded_blob" }] },
    ]);
    for (const name of await readdir(join(folder, "out")))
      expect(await readFile(join(folder, "out", name), "utf8"), name).not.toContain(CARD);
  });

  it("gives the same files for the same input", async () => {
    await writeSample();
    await curate();
    const first = await readFile(join(folder, "out", "curated.jsonl"), "utf8");
    await curate();
    expect(await readFile(join(folder, "out", "curated.jsonl"), "utf8")).toBe(first);
  });

  it("ends with code 3 below the acceptance that was asked for", async () => {
    await writeSample();
    expect((await curate("--acceptance-min", "0.9")).exitCode).toBe(3);
    expect((await curate("--acceptance-min", "0.1")).exitCode).toBe(0);
    expect((await curate("--acceptance-min", "2")).exitCode).toBe(2);
  });

  it("says what drifted since an earlier report", async () => {
    await mkdir(join(folder, "in", "old"), { recursive: true });
    await mkdir(join(folder, "new", "web"), { recursive: true });
    for (let index = 0; index < 60; index++) {
      const entry = `${index * 37} ships passed the lighthouse; the keeper wrote entry ${index * 91} into book ${index * 53}.`;
      await writeFile(join(folder, "in", "old", `${index}.txt`), `Day ${index * 17}: ${entry}`);
      await writeFile(join(folder, "new", "web", `${index}.txt`), `Day ${index * 17}: ${entry} ${LAMP} ${NETS}`);
    }
    await curate();
    const flags = ["--no-tokens", "--json", "--baseline", join("out", "report.json"), "--out"];
    const [same, other] = await Promise.all([
      runCli(["curate", "in", ...flags, "same"], { cwd: folder }),
      runCli(["curate", "new", ...flags, "other"], { cwd: folder }),
    ]);
    const verdicts = (stdout: string) =>
      Object.fromEntries(
        outputSchema
          .parse(JSON.parse(stdout))
          .report.drift?.dimensions.map(({ dimension, verdict }) => [dimension, verdict]) ?? [],
      );
    expect(verdicts(same.stdout)).toMatchObject({ source: "steady", length: "steady", acceptance: "steady" });
    expect(verdicts(other.stdout)).toMatchObject({ source: "drifted", length: "drifted", tier: "steady" });
  });

  it("reads the standard input", async () => {
    const { exitCode } = await runCli(["curate", "--out", "out", "--no-tokens", "--source", "pipe"], {
      cwd: folder,
      stdin: `{"id":"a","text":${JSON.stringify(LAMP)}}\n`,
    });
    expect(exitCode).toBe(0);
    expect(await lines("curated.jsonl")).toMatchObject([{ id: "a", source: "pipe" }]);
  });

  it("goes on after Ctrl-C with the files that are not read yet", async () => {
    await mkdir(join(folder, "in"));
    const count = 3_000;
    for (let index = 0; index < count; index++)
      await writeFile(
        join(folder, "in", `${String(index).padStart(4, "0")}.txt`),
        `${LAMP} Entry ${index} of the book.`,
      );
    const child = spawn(process.execPath, [MAIN, "curate", "in", "--out", "out", "--no-tokens"], { cwd: folder });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      if (text.includes("files read")) child.kill("SIGINT");
    });
    const [exitCode]: unknown[] = await once(child, "close");
    expect(exitCode).toBe(130);
    const [, stopped = "0"] = /stopped after (\d+) of 3000 files/.exec(stderr) ?? [];
    expect(Number(stopped)).toBeGreaterThan(0);
    expect(Number(stopped)).toBeLessThan(count);
    expect((await stat(join(folder, "out", ".read-journal.jsonl"))).mode & 0o077).toBe(0);

    const again = await curate("--json");
    expect(again.exitCode).toBe(0);
    expect(again.stderr).toContain("of them were read before");
    expect(outputSchema.parse(JSON.parse(again.stdout)).report.input_count).toBe(count);
    expect(await readdir(join(folder, "out"))).not.toContain(".read-journal.jsonl");
  });
});
