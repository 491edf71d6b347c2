import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { inspectionSchema } from "../../src/cli/inspect/inspection.ts";
import type { LabelledSpan } from "./labelled-texts.ts";

/** Spans of each text of a `.jsonl` file, as `jeeves inspect FILE --json --parts pii` gives them. Throws where the command fails. */
export async function inspectFile(path: string): Promise<readonly (readonly LabelledSpan[])[]> {
  const command = ["src/cli/main.ts", "inspect", path, "--json", "--parts", "pii"];
  const child = spawn(process.execPath, command, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const spans: (readonly LabelledSpan[])[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    spans.push(inspectionSchema.parse(JSON.parse(line)).pii?.spans ?? []);
  }
  const exitCode = await ended;
  if (exitCode !== 0) throw new Error(`jeeves inspect ended with ${exitCode}`);
  return spans;
}
