import { describe, expect, it } from "vitest";
import { inspectBatch, type InspectInput } from "../../../src/cli/inspect/inspect-batch.ts";
import { inspectionRefusalSchema, inspectionSchema } from "../../../src/cli/inspect/inspection.ts";
import { DEFAULT_POLICY } from "../../../src/lib/contract/policy.ts";
import { runCli } from "./run-cli.ts";

const PROSE =
  "The lighthouse keeper climbed the stairs each evening to light the lamp, and wrote into his book what ships had passed and how the wind had turned.";

function inspect(records: readonly unknown[], ...flags: readonly string[]) {
  const stdin = records.map((record) => (typeof record === "string" ? record : JSON.stringify(record))).join("\n");
  return runCli(["inspect", "-", "--json", "--parts", "verdict,rules,pii", ...flags], { stdin });
}

function lines(stdout: string): readonly unknown[] {
  return stdout
    .trim()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
}

describe("jeeves inspect", { timeout: 60_000 }, () => {
  it("gives one line per record in order, in the documented form, with offsets of the text as given", async () => {
    const text = `Grüße 👋\r\n${PROSE} Write to jo@example.com.`;
    const { exitCode, stdout } = await inspect([
      { id: "a", text },
      { id: "b", text: PROSE.toUpperCase() },
      { id: "c", text: "Nothing of this was known to the fishermen on the far shore, who mended their nets." },
    ]);
    expect(exitCode).toBe(0);
    const [a, b, c] = lines(stdout).map((line) => inspectionSchema.parse(line));
    const span = a?.pii?.spans.find(({ type }) => type === "EMAIL_ADDRESS");
    expect(text.slice(span?.start, span?.end)).toBe("jo@example.com");
    expect(b).toMatchObject({ verdict: "duplicate", duplicate_of: { id: "a", kind: "near" } });
    expect(c).toMatchObject({ verdict: "accepted", duplicate_of: null });
    expect(c?.rules?.measured.length).toBeGreaterThan(20);
  });

  it("refuses a broken record with its number and goes on", async () => {
    const { exitCode, stdout } = await inspect(["{broken", { id: "x" }, { id: "good", text: PROSE }]);
    expect(exitCode).toBe(1);
    const [first, second, third] = lines(stdout);
    const refusals = [first, second].map((line) => inspectionRefusalSchema.parse(line));
    expect(refusals).toEqual(
      expect.arrayContaining([
        { path: "stdin", refused: "record_malformed", record: 1 },
        { path: "stdin", refused: "record_invalid", record: 2, detail: "text" },
      ]),
    );
    expect(inspectionSchema.parse(third).id).toBe("good");
  });

  it("leaves out the parts that were not asked for", async () => {
    const { stdout } = await runCli(["inspect", "-", "--json", "--parts", "pii"], {
      stdin: JSON.stringify({ text: PROSE }),
    });
    const [line] = lines(stdout).map((value) => inspectionSchema.parse(value));
    expect(line).toMatchObject({ id: "stdin#1", pii: { action: "allow" } });
    expect(line?.verdict).toBeUndefined();
    expect(line?.rules).toBeUndefined();
  });
});

describe("the chunks of an inspection", () => {
  const tokenizer = { counter: { count: (text: string) => (text.match(/\S+/g) ?? []).length }, maxInputTokens: 64 };
  const chunksOf = (fields: Partial<InspectInput>) => {
    const plain = { path: "p", id: "a", source: "", userId: "", title: "", tier: "doc", occurredAtMs: null } as const;
    const input: InspectInput = { ...plain, text: PROSE, metadata: {}, ...fields };
    const options = { tenantId: "t", policy: DEFAULT_POLICY, parts: new Set(["chunks"] as const), tokenizer };
    return inspectBatch([input], options)[0]?.chunks;
  };

  it("have the speaker of an event before them, and in their tokens", () => {
    const said = chunksOf({ tier: "event", metadata: { speaker: "Ann" } });
    expect(said?.items).toEqual([{ index: 0, start: 0, end: PROSE.length, token_count: 28, context: "Ann:" }]);
    expect(chunksOf({ tier: "event" })?.items).toMatchObject([{ token_count: 27, context: "" }]);
  });

  it("have title and headings before them, in lines", () => {
    const chunks = chunksOf({ title: "Coasts", text: `# Lamps\n\n${`${PROSE} `.repeat(4)}` });
    expect(chunks?.items.length).toBeGreaterThan(1);
    expect(chunks?.items.at(-1)?.context).toBe("Coasts\nLamps");
  });
});
