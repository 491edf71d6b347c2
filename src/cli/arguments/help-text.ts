import type { Command, CommandOption } from "./command.ts";
import { COMMON_OPTIONS } from "./parse-command-line.ts";

/** Help of the whole program. Pure. */
export function programHelp(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  const lines = commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`);
  return `jeeves: command line of Jeeves Indexer

Usage: jeeves COMMAND [FLAGS]

${lines.join("\n")}

Help of one command: jeeves help COMMAND, or jeeves COMMAND --help

Environment
  JEEVES_URL, JEEVES_KEY   the service and an api key; without them the stack of a running "make up"
  JEEVES_HOME              folder for local data, weights and progress (.jeeves)
  DATABASE_URL             keys, migrate, build-index (as the schema's owner); also up and demo, instead of PGlite
  APP_DATABASE_URL         role jeeves_app, where the database is on another machine
  EMBED_ENDPOINT           instead of the local embedder; EMBED_TOKEN is its token
  PII_KEYS                 keys of reversible placeholders by tenant, for the local stack (docs/pii.md)
  LISTEN_HOST              address that "up" listens on (0.0.0.0 in a container)
  NO_COLOR                 no colours on a terminal either

Exit codes: 0 ok, 1 failed, 2 usage, 3 below a threshold that was asked for, 4 service unreachable, 5 key refused, 130 Ctrl-C
`;
}

/** Help of one command. Pure. */
export function commandHelp(command: Command): string {
  const parts = [`${command.name}: ${command.summary}`, `Usage: jeeves ${command.name} ${command.operands}`.trimEnd()];
  if (command.details !== undefined) parts.push(command.details);
  parts.push(`Flags\n${optionLines({ ...command.options, ...COMMON_OPTIONS }).join("\n")}`);
  if (command.examples !== undefined) {
    parts.push(`Examples\n${command.examples.map((example) => `  ${example}`).join("\n")}`);
  }
  return `${parts.join("\n\n")}\n`;
}

function optionLines(options: Readonly<Record<string, CommandOption>>): readonly string[] {
  const names = Object.entries(options).map(([name, option]) => ({
    name: `--${name}${option.value === undefined ? "" : ` ${option.value}`}`,
    summary: `${option.summary}${option.isMultiple === true ? " (may be given again)" : ""}`,
  }));
  const width = Math.max(...names.map(({ name }) => name.length));
  return names.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
}
