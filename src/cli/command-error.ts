import { EXIT, type ExitCode } from "./exit-code.ts";

/** Ends a command with one clear sentence and a non-zero exit code. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = EXIT.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The command was called in a way it cannot understand. */
export function usageError(message: string): CommandError {
  return new CommandError(message, EXIT.usage);
}
