/** Collects the parameters of one generated statement. */
export class Parameters {
  readonly values: unknown[] = [];

  /** Adds a value and returns its placeholder, cast to `type`. */
  add(value: unknown, type: string): string {
    this.values.push(value);
    return `$${this.values.length}::${type}`;
  }
}
