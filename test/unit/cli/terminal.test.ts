import { describe, expect, it } from "vitest";
import { excerptLines } from "../../../src/cli/demo/print-hits.ts";
import { ProgressBar, progressLine } from "../../../src/cli/terminal/progress-bar.ts";

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

describe("the progress bar", () => {
  function drawn(isTty: boolean, columns: number): string {
    let text = "";
    const write = (part: string): boolean => {
      text += part;
      return true;
    };
    const bar = new ProgressBar({ isTTY: isTty, columns, write });
    for (let done = 1; done <= 1_000; done++)
      bar.update({ done, total: 1_000, ratePerSecond: 1_000, etaSeconds: 1, note: "texts ".repeat(20) }, done);
    bar.finish();
    return text;
  }

  it("is drawn in place on a terminal, at most twenty times a second and never wider than it", () => {
    const frames = drawn(true, 60).split("\r").slice(1);
    expect(frames.length).toBeLessThanOrEqual(21);
    expect(frames.at(-1)).toContain("1000/1000");
    // The sequence that clears the line is four characters.
    for (const frame of frames) expect(frame.trimEnd().length - 4).toBeLessThan(60);
  });

  it("is a plain line now and then elsewhere", () => {
    const text = drawn(false, 60);
    expect(text).not.toContain("\u001b");
    expect(text.trim().split("\n")).toHaveLength(2);
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
