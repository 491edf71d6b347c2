/** Thrown when the program itself is wrong. Never caught to continue; a crash is the right answer. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Throws unless `condition` holds. `whatWasExpected` is a fixed sentence: never user text, never a secret. */
export function assert(condition: boolean, whatWasExpected: string): asserts condition {
  if (!condition) throw new AssertionError(whatWasExpected);
}

/** The value itself, or a crash that says what was missing. For lookups that cannot fail unless the program is wrong. */
export function present<T>(value: T | undefined, whatWasExpected: string): T {
  assert(value !== undefined, whatWasExpected);
  return value;
}
