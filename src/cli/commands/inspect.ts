import { TIERS } from "../../lib/contract/scope.ts";
import type { CommandArguments } from "../arguments/command-arguments.ts";
import { usageError } from "../command-error.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { inspectBatch, type InspectInput, type InspectOptions } from "../inspect/inspect-batch.ts";
import { INSPECTION_PARTS, type InspectionPart } from "../inspect/inspection.ts";
import { printInspection } from "../inspect/print-inspection.ts";
import { openLocalTokenizer } from "../local/local-tokenizer.ts";
import { readPolicy } from "../policy/read-policy.ts";
import { curateInput, type InputDefaults } from "../readers/curate-input.ts";
import { findFiles, STDIN } from "../readers/find-files.ts";
import { FILE_FORMATS } from "../readers/read-file.ts";
import { readInput } from "../readers/read-inputs.ts";
import type { ReadRefusal } from "../readers/read-item.ts";
import { OutputLines } from "../terminal/output-lines.ts";

/** Texts judged together, as a request to the service would have them at most. */
const BATCH_DOCUMENTS = 1_000;
/** Characters judged together: keeps memory flat on large texts. */
const BATCH_CHARACTERS = 32 * 1024 * 1024;

/** `jeeves inspect`: what the system would do with texts. Nothing is written or sent. */
export async function run(args: CommandArguments): Promise<ExitCode> {
  const inputs = args.positionals.length > 0 ? args.positionals : process.stdin.isTTY ? [] : [STDIN];
  if (inputs.length === 0) throw usageError("name a file, a folder, a pattern, or - for the standard input");
  const files = await findFiles(inputs, args.choice("format", FILE_FORMATS));
  const parts = partsOf(args.text("parts"));
  const options: InspectOptions = {
    tenantId: "inspect",
    policy: await readPolicy(args.text("policy")),
    parts,
    tokenizer: parts.has("chunks") ? await openLocalTokenizer((line) => console.error(line)) : undefined,
  };
  const defaults: InputDefaults = {
    source: args.text("source"),
    tier: args.choice("tier", TIERS),
    userId: args.text("user"),
  };
  const output = new OutputLines(process.stdout);
  const isJson = args.flag("json");
  let refused = 0;
  let batch: InspectInput[] = [];
  let characters = 0;
  const flush = async (): Promise<void> => {
    for (const inspection of inspectBatch(batch, options)) {
      await output.write(isJson ? JSON.stringify(inspection) : printInspection(inspection));
    }
    await output.flush();
    [batch, characters] = [[], 0];
  };
  for (const file of files) {
    for await (const item of readInput(file)) {
      if (item.kind === "refusal") {
        refused++;
        await output.write(refusalLine(item, file.name, isJson));
        continue;
      }
      batch.push({ ...curateInput(item, file.name, defaults), path: file.name, metadata: item.metadata });
      characters += item.text.length;
      if (batch.length >= BATCH_DOCUMENTS || characters >= BATCH_CHARACTERS) await flush();
    }
  }
  await flush();
  return refused === 0 ? EXIT.ok : EXIT.failed;
}

function partsOf(list: string | undefined): ReadonlySet<InspectionPart> {
  if (list === undefined) return new Set(INSPECTION_PARTS);
  const parts = list.split(",").map((name) => {
    const part = INSPECTION_PARTS.find((candidate) => candidate === name.trim());
    if (part === undefined) throw usageError(`--parts takes a list of ${INSPECTION_PARTS.join(", ")}, not "${name}"`);
    return part;
  });
  return new Set(parts);
}

function refusalLine({ code, record, detail }: ReadRefusal, path: string, isJson: boolean): string {
  const where = record === undefined ? path : `${path}, record ${record}`;
  return isJson
    ? JSON.stringify({ path, refused: code, record, detail })
    : `${where}\n  refused: ${code}${detail === undefined ? "" : ` (${detail})`}`;
}
