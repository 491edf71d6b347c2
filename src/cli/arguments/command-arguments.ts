import { usageError } from "../command-error.ts";

type Value = string | boolean | readonly (string | boolean)[] | undefined;

/** What a command was called with. The readers end the command when a value has another form. */
export class CommandArguments {
  readonly positionals: readonly string[];
  readonly #values: Readonly<Record<string, Value>>;

  constructor(positionals: readonly string[], values: Readonly<Record<string, Value>>) {
    this.positionals = positionals;
    this.#values = values;
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === "string" ? value : undefined;
  }

  required(name: string): string {
    const value = this.text(name);
    if (value === undefined || value === "") throw usageError(`--${name} is missing`);
    return value;
  }

  texts(name: string): readonly string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
  }

  /** A number within bounds, both included. */
  number(name: string, bounds: { readonly min: number; readonly max: number }): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const number = value.trim() === "" ? Number.NaN : Number(value);
    if (number >= bounds.min && number <= bounds.max) return number;
    throw usageError(`--${name} takes a number from ${bounds.min} to ${bounds.max}, not "${value}"`);
  }

  integer(name: string, bounds: { readonly min: number; readonly max: number }): number | undefined {
    const number = this.number(name, bounds);
    if (number !== undefined && !Number.isInteger(number)) throw usageError(`--${name} takes a whole number`);
    return number;
  }

  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const choice = choices.find((candidate) => candidate === value);
    if (choice === undefined) throw usageError(`--${name} takes one of ${choices.join(", ")}, not "${value}"`);
    return choice;
  }
}
