/** `npm run check`: every static check at the same time, each one's output whole, in the order of the list. Exit code 1 when one fails. */
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";

const CHECKS = ["format", "lint", "types", "dead", "architecture"] as const;

interface Outcome {
  readonly name: string;
  readonly isClean: boolean;
  readonly output: string;
  readonly seconds: number;
}

async function run(name: string): Promise<Outcome> {
  const startedMs = performance.now();
  const child = spawn("npm", ["run", "--silent", `check:${name}`], { stdio: ["ignore", "pipe", "pipe"] });
  const exit = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const [out, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  return { name, isClean: code === 0, output: out + errors, seconds: (performance.now() - startedMs) / 1000 };
}

const outcomes = await Promise.all(CHECKS.map(run));
for (const { name, isClean, output, seconds } of outcomes) {
  console.log(`${isClean ? "clean " : "FAILED"} ${name} (${seconds.toFixed(1)} s)`);
  if (!isClean) console.log(output);
}
if (outcomes.some(({ isClean }) => !isClean)) process.exitCode = 1;
