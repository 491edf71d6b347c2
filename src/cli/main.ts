import { StackError } from "../stack/stack-config.ts";
import type { Command } from "./arguments/command.ts";
import { commandHelp, programHelp } from "./arguments/help-text.ts";
import { chooseCommand, parseCommandLine } from "./arguments/parse-command-line.ts";
import { CommandError } from "./command-error.ts";
import { ARTIFACT_COMMAND } from "./declarations/artifact-command.ts";
import { LOCAL_COMMANDS } from "./declarations/local-commands.ts";
import { REMOTE_COMMANDS } from "./declarations/remote-commands.ts";
import { SNAPSHOT_COMMAND } from "./declarations/snapshot-command.ts";
import { TEXT_COMMANDS } from "./declarations/text-commands.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";

const COMMANDS: readonly Command[] = [
  ...TEXT_COMMANDS,
  ...REMOTE_COMMANDS,
  ARTIFACT_COMMAND,
  SNAPSHOT_COMMAND,
  ...LOCAL_COMMANDS,
];

async function main(words: readonly string[]): Promise<ExitCode> {
  const { command, isHelp, rest } = chooseCommand(words, COMMANDS);
  if (command === undefined || isHelp) {
    console.log(command === undefined ? programHelp(COMMANDS) : commandHelp(command));
    return EXIT.ok;
  }
  const args = parseCommandLine(rest, command);
  const { run } = await command.load();
  return run(args);
}

// A reader that has seen enough (`jeeves … | head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(EXIT.ok);
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof CommandError || error instanceof StackError) console.error(`jeeves: ${error.message}`);
  else console.error(error);
  process.exitCode = error instanceof CommandError ? error.exitCode : EXIT.failed;
}
