import type { CommandArguments } from "../arguments/command-arguments.ts";
import { usageError } from "../command-error.ts";
import type { ExitCode } from "../exit-code.ts";

/** `jeeves pii rescan | reveal FILE`. Each loads its own code: opening a text needs none of the detectors. */
export async function run(args: CommandArguments): Promise<ExitCode> {
  const [action, ...operands] = args.positionals;
  if (action === "rescan" && operands.length === 0) return (await import("../pii/rescan.ts")).rescan(args);
  const [path] = operands;
  if (action === "reveal" && path !== undefined && operands.length === 1)
    return (await import("../pii/reveal.ts")).reveal(args, path);
  throw usageError("pii takes rescan, or reveal and one file (- for the standard input)");
}
