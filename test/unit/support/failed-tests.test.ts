import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { failedTests } from "../../support/failed-tests.ts";

const file = (name: string): string => join(process.cwd(), name);

describe("the failures of a test report", () => {
  it("names the test, its file and the first lines of its message", () => {
    const report = {
      testResults: [
        {
          name: file("test/a.test.ts"),
          status: "failed",
          message: "",
          assertionResults: [
            { fullName: "a holds", status: "passed", failureMessages: [] },
            { fullName: "b holds", status: "failed", failureMessages: ["expected 1 to be 2\n1\n2\n3\n4\n5"] },
          ],
        },
      ],
    };
    expect(failedTests(report)).toEqual([
      { file: "test/a.test.ts", name: "b holds", message: "expected 1 to be 2\n    1\n    2\n    3" },
    ]);
  });

  it("counts a file that could not be loaded", () => {
    const report = {
      testResults: [
        { name: file("test/a.test.ts"), status: "failed", message: "no such module", assertionResults: [] },
      ],
    };
    expect(failedTests(report)).toEqual([
      { file: "test/a.test.ts", name: "(the file itself)", message: "no such module" },
    ]);
  });

  it("finds nothing in what is no report", () => {
    expect(failedTests({ testResults: "none" })).toEqual([]);
  });
});
