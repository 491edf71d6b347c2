import { spawnSync } from "node:child_process";

/** A command of a document's `sh` block, with what the comment lines behind it say it prints. */
export interface DocumentedCommand {
  readonly command: string;
  readonly prints: readonly string[];
}

/** A command ends where its quotes, its here-document and its continued lines do. */
function isWhole(lines: readonly string[]): boolean {
  if (lines.at(-1)?.endsWith("\\") === true) return false;
  const { status, stderr } = spawnSync("bash", ["-n"], { input: lines.join("\n"), encoding: "utf8" });
  return status === 0 && stderr === "";
}

function commandsOfBlock(block: string): readonly DocumentedCommand[] {
  const commands: { command: string; prints: string[] }[] = [];
  let open: string[] = [];
  for (const line of block.split("\n")) {
    if (open.length === 0 && line.trim() === "") continue;
    if (open.length === 0 && line.startsWith("#")) {
      commands.at(-1)?.prints.push(line.replace(/^#\s*/, ""));
      continue;
    }
    open.push(line);
    if (!isWhole(open)) continue;
    commands.push({ command: open.join("\n"), prints: [] });
    open = [];
  }
  if (open.length > 0) throw new Error(`a command does not end: ${open.join("\n")}`);
  return commands;
}

/** The commands of all `sh` blocks of a Markdown text, in order. */
export function documentedCommands(markdown: string): readonly DocumentedCommand[] {
  return [...markdown.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, block = ""]) => commandsOfBlock(block));
}
