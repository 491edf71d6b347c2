/** Ends a command with one clear sentence and a non-zero exit code. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}
