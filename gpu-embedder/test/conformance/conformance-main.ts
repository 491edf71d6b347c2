import { parseArgs } from "node:util";
import { ALL_CASES, runConformance } from "./run-conformance.ts";
import { targetAt } from "./target.ts";

/** `npm run conformance -- --url URL [--token T]`: holds any server to the contracts. Fails where a contract case does. */
const { values } = parseArgs({ options: { url: { type: "string" }, token: { type: "string" } } });
if (values.url === undefined) {
  console.error("usage: npm run conformance -- --url URL [--token T]");
  process.exit(2);
}
const outcomes = await runConformance(await targetAt(values.url, values.token), ALL_CASES);
for (const { case: each, failure } of outcomes) {
  console.log(`${failure === undefined ? "holds " : "BROKEN"}  ${each.level.padEnd(8)}  ${each.clause}: ${each.name}`);
  if (failure !== undefined) console.log(`        ${failure.replaceAll("\n", "\n        ")}`);
}
for (const level of ["contract", "stricter"] as const) {
  const of = outcomes.filter((outcome) => outcome.case.level === level);
  console.log(`${level}: ${of.filter((outcome) => outcome.failure === undefined).length} of ${of.length} hold`);
}
const broken = outcomes.some(({ case: each, failure }) => each.level === "contract" && failure !== undefined);
process.exitCode = broken ? 1 : 0;
