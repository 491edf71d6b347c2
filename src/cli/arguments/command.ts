import type { ExitCode } from "../exit-code.ts";
import type { CommandArguments } from "./command-arguments.ts";

/** One flag. Without `value` it is a switch. */
export interface CommandOption {
  readonly summary: string;
  /** Name of the value in the help, such as FILE. */
  readonly value?: string;
  /** May be given more than once. */
  readonly isMultiple?: boolean;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** What follows the name, such as `[FILE…]`. */
  readonly operands: string;
  /** Paragraphs of the command's own help. */
  readonly details?: string;
  readonly options: Readonly<Record<string, CommandOption>>;
  readonly examples?: readonly string[];
  /** Loads the code of the command: help and refusals need not wait for it. */
  readonly load: () => Promise<{ readonly run: (args: CommandArguments) => Promise<ExitCode> }>;
}
