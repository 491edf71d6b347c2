import type { PiiSpan, PiiType } from "../contract/pii.ts";

/**
 * One family of rules. `find` is pure and takes time linear in the text: each quantifier of its expressions is bounded, so that a failed
 * attempt costs a constant. `mayFind` is a cheap test that is false only where `find` would return nothing.
 */
export interface Detector {
  readonly name: string;
  readonly types: readonly PiiType[];
  readonly mayFind: (text: string) => boolean;
  readonly find: (text: string) => readonly PiiSpan[];
}

/** Anything with a digit in it. */
export function hasDigit(text: string): boolean {
  return /[0-9]/.test(text);
}
