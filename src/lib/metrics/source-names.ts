/** Sources that an isolate tells apart in its metrics. */
const NAMES_MAX = 50;
/** What a source is called that has no label of its own. */
export const OTHER_SOURCE = "other";

/** Names that may stand in a label: what a program calls its inputs, not what a text says. */
const PLAIN = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,59}$/;

/** Names of sources as labels: the first ones that come, and one name for all others, so that clients cannot make series without end. */
export class SourceNames {
  readonly #known = new Set<string>();

  labelOf(source: string): string {
    if (source === "") return "none";
    if (this.#known.has(source)) return source;
    if (this.#known.size >= NAMES_MAX || !PLAIN.test(source)) return OTHER_SOURCE;
    this.#known.add(source);
    return source;
  }
}
