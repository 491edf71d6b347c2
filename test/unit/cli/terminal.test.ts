import { describe, expect, it } from "vitest";
import { excerptLines } from "../../../src/cli/demo/print-hits.ts";
import { progressLine } from "../../../src/cli/terminal/progress-bar.ts";

describe("the progress line", () => {
  it("shows share, counts, rate and time left", () => {
    const line = progressLine({ done: 31, total: 62, ratePerSecond: 2.04, etaSeconds: 15.1, note: "accepted 62" });
    expect(line).toBe(`${"█".repeat(14)}${"░".repeat(14)} 31/62  2.0/s  ETA 16 s  accepted 62`);
  });

  it("promises nothing it does not know", () => {
    expect(progressLine({ done: 0, total: 3, ratePerSecond: null, etaSeconds: null, note: "" })).toContain(
      "–/s  ETA –",
    );
  });
});

describe("an excerpt", () => {
  it("has lines of readable length, whole words and an ellipsis where it was cut", () => {
    const lines = excerptLines("word ".repeat(200));
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
    expect(lines.at(-1)).toMatch(/word …$/);
    expect(excerptLines("one\n\n two")).toEqual(["one two"]);
  });
});
