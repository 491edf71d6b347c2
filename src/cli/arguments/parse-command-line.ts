import { parseArgs } from "node:util";
import { usageError } from "../command-error.ts";
import { closestWord } from "./closest-word.ts";
import { CommandArguments } from "./command-arguments.ts";
import type { Command } from "./command.ts";

/** Flags that every command knows. */
export const COMMON_OPTIONS = {
  json: { summary: "print one JSON value (or JSON lines) on stdout and nothing else" },
  help: { summary: "this help" },
} as const;

/** Which command is meant, and whether only its help. Unknown words are usage errors with a suggestion. */
export function chooseCommand(
  words: readonly string[],
  commands: readonly Command[],
): { readonly command: Command | undefined; readonly isHelp: boolean; readonly rest: readonly string[] } {
  const [first = "help", ...rest] = words;
  if (first === "help" || first === "--help" || first === "-h") {
    const [topic] = rest;
    return { command: topic === undefined ? undefined : commandNamed(topic, commands), isHelp: true, rest: [] };
  }
  const isHelp = rest.includes("--help") || rest.includes("-h");
  return { command: commandNamed(first, commands), isHelp, rest };
}

function commandNamed(name: string, commands: readonly Command[]): Command {
  const command = commands.find((candidate) => candidate.name === name);
  if (command !== undefined) return command;
  const suggestion = closestWord(
    name,
    commands.map((candidate) => candidate.name),
  );
  throw usageError(
    `unknown command "${name}"${suggestion === undefined ? "" : `: did you mean "${suggestion}"?`}\nTry: jeeves help`,
  );
}

/** The arguments of a command. Unknown flags and missing values are usage errors. */
export function parseCommandLine(words: readonly string[], command: Command): CommandArguments {
  const known = { ...command.options, ...COMMON_OPTIONS };
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, option]) => [
      name,
      {
        type: option.value === undefined ? ("boolean" as const) : ("string" as const),
        multiple: option.isMultiple === true,
      },
    ]),
  );
  refuseUnknown(words, Object.keys(known), command.name);
  try {
    const { positionals, values } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: { ...options, json: { type: "boolean" }, help: { type: "boolean" } },
    });
    return new CommandArguments(positionals, values);
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split(". ")[0] ?? "") : "it cannot be read";
    throw usageError(`${reason}\nTry: jeeves help ${command.name}`);
  }
}

function refuseUnknown(words: readonly string[], known: readonly string[], command: string): void {
  for (const word of words) {
    if (word === "--") return;
    if (!word.startsWith("--")) continue;
    const name = word.slice(2).split("=")[0] ?? "";
    if (known.includes(name)) continue;
    const suggestion = closestWord(name, known);
    const hint = suggestion === undefined ? "" : `: did you mean "--${suggestion}"?`;
    throw usageError(`unknown flag "--${name}"${hint}\nTry: jeeves help ${command}`);
  }
}
