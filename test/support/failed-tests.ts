/** The failures in a JSON report of vitest: which test, of which file, and the first lines of why. */
import { relative } from "node:path";
import { z } from "zod";

const MESSAGE_CHARACTERS = 400;

const reportSchema = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(
        z.object({
          fullName: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()).nullish(),
        }),
      ),
    }),
  ),
});

export interface FailedTest {
  readonly file: string;
  readonly name: string;
  readonly message: string;
}

function shortened(message: string): string {
  return message.split("\n").slice(0, 4).join("\n    ").slice(0, MESSAGE_CHARACTERS);
}

/** Takes the parsed report. A file that failed before its first test counts as one failure; another shape holds none. */
export function failedTests(report: unknown): readonly FailedTest[] {
  const parsed = reportSchema.safeParse(report);
  if (!parsed.success) return [];
  return parsed.data.testResults.flatMap((result) => {
    const file = relative(process.cwd(), result.name);
    const failed = result.assertionResults.filter((test) => test.status === "failed");
    if (failed.length === 0 && result.status === "failed") {
      return [{ file, name: "(the file itself)", message: shortened(result.message ?? "") }];
    }
    return failed.map((test) => ({
      file,
      name: test.fullName,
      message: shortened(test.failureMessages?.[0] ?? ""),
    }));
  });
}
