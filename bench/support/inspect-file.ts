import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { type Inspection, inspectionSchema, type InspectionPart } from "../../src/cli/inspect/inspection.ts";

/** Inspections of each text of a file, in order, as `jeeves inspect FILE --json --parts PART` gives them. Throws where the command fails. */
export async function inspectFile(path: string, part: InspectionPart): Promise<readonly Inspection[]> {
  const command = ["src/cli/main.ts", "inspect", path, "--json", "--parts", part];
  const child = spawn(process.execPath, command, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const inspections: Inspection[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    inspections.push(inspectionSchema.parse(JSON.parse(line)));
  }
  const exitCode = await ended;
  if (exitCode !== 0) throw new Error(`jeeves inspect ended with ${exitCode}`);
  return inspections;
}
