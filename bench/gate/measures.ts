// What the gate measures of real texts, and what it costs: the thresholds of src/lib/gate/profile.ts lie above these maxima.
//   node bench/gate/measures.ts PATH… [--tier doc]     files, folders (walked), .jsonl with a `text` a line
// One line per rule: texts that are long enough for it, median, 99th percentile, largest (smallest for a rule with a minimum), texts it stops.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { DEFAULT_GATE_POLICY, GATE_RULES, type GateRule } from "../../src/lib/contract/gate-policy.ts";
import { tierSchema } from "../../src/lib/contract/scope.ts";
import { inspectText } from "../../src/lib/gate/inspect-text.ts";
import { measureText } from "../../src/lib/gate/measure-text.ts";
import { percentile } from "../support/statistics.ts";
import { textsOfLines } from "./texts-of-lines.ts";

/** Files of one run. */
const FILES_MAX = 20_000;
const ROUNDS = 3;

const { values, positionals } = parseArgs({
  options: { tier: { type: "string", default: "doc" } },
  allowPositionals: true,
});
const tier = tierSchema.parse(values.tier);
const texts = positionals
  .flatMap(filesOf)
  .slice(0, FILES_MAX)
  .flatMap((path) => (path.endsWith(".jsonl") ? textsOfLines(path) : [readFileSync(path, "utf8")]));
if (texts.length === 0) throw new Error("name files or folders with texts");

function filesOf(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .map((name) => join(path, name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true);
}

function printMeasures(): void {
  const measures = new Map<GateRule, number[]>();
  const stopped = new Map<GateRule, number>();
  const verdicts = { accepted: 0, quarantined: 0, rejected: 0 };
  for (const text of texts) {
    const { verdict, rules } = inspectText(text, tier, DEFAULT_GATE_POLICY);
    verdicts[verdict]++;
    for (const { code, measure, step } of rules) {
      if (measure !== null)
        measures
          .set(code, measures.get(code) ?? [])
          .get(code)
          ?.push(measure);
      if (step !== 0) stopped.set(code, (stopped.get(code) ?? 0) + 1);
    }
  }
  console.log(`${texts.length} texts as ${tier}: ${JSON.stringify(verdicts)}`);
  for (const [code, found] of measures) {
    const extreme = percentile(found, GATE_RULES[code] === "max" ? 1 : 0);
    const figures = [percentile(found, 0.5), percentile(found, 0.99), extreme].map((figure) =>
      figure.toFixed(3).padStart(9),
    );
    console.log(
      `${code.padEnd(32)}${String(found.length).padStart(7)}${figures.join("")}${String(stopped.get(code) ?? 0).padStart(7)}`,
    );
  }
}

function printCost(): void {
  const kilobytes = texts.reduce((sum, text) => sum + text.length, 0) / 1024;
  let leastMicros = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    for (const text of texts) measureText(text);
    const { user, system } = process.cpuUsage(before);
    leastMicros = Math.min(leastMicros, user + system);
  }
  const perKilobyte = (leastMicros / kilobytes).toFixed(1);
  console.log(`${perKilobyte} µs of CPU time per KB, ${(leastMicros / texts.length).toFixed(1)} µs per text`);
}

printMeasures();
printCost();
