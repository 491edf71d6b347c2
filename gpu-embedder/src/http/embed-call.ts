/** One input: a text or the token ids that a client made itself. */
export type Input = string | readonly number[];

/** An embedding request in the one form that the rest of the server knows. */
export type EmbedCall = {
  readonly inputs: readonly Input[];
  /** Whether a text over the model's limit is cut instead of refused. */
  readonly truncate: boolean;
  /** The side that is cut off. */
  readonly truncateSide: "left" | "right";
  readonly normalize: boolean;
  readonly encoding: "float" | "base64";
  readonly dimensions: number | undefined;
  /** Name of the model's own prompt that goes before each text, or undefined for none. */
  readonly promptName: string | undefined;
};

function tokenIdsOf(items: readonly unknown[]): readonly number[] | undefined {
  const ids: number[] = [];
  for (const item of items) {
    if (typeof item !== "number" || !Number.isSafeInteger(item) || item < 0) return undefined;
    ids.push(item);
  }
  return ids;
}

/**
 * The inputs of a request: a text, token ids, or a list of texts and lists of token ids. Undefined for anything else.
 * By hand and not by a schema: it stops at the first wrong item, where a schema would build an issue for each of the millions
 * that a body has room for.
 */
export function decodeInputs(value: unknown): readonly Input[] | undefined {
  if (typeof value === "string") return [value];
  if (!Array.isArray(value)) return undefined;
  const items: readonly unknown[] = value;
  if (typeof items[0] === "number") {
    const ids = tokenIdsOf(items);
    return ids === undefined ? undefined : [ids];
  }
  const inputs: Input[] = [];
  for (const item of items) {
    const input = Array.isArray(item) ? tokenIdsOf(item) : item;
    if (typeof input !== "string" && !Array.isArray(input)) return undefined;
    inputs.push(input);
  }
  return inputs;
}
