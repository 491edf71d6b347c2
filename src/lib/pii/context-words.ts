/** UTF-16 units before a value in which a word can explain it: about half a sentence. */
const CONTEXT_BEFORE = 60;
/** UTF-16 units after it: "555 1234 (mobile)". */
const CONTEXT_AFTER = 20;

/** True where `words` (no global flag) matches shortly before the value. */
export function saidBefore(text: string, start: number, words: RegExp): boolean {
  return words.test(text.slice(Math.max(0, start - CONTEXT_BEFORE), start));
}

/** True where `words` (no global flag) matches shortly before or right after the value. */
export function saidAround(text: string, { start, end }: { start: number; end: number }, words: RegExp): boolean {
  return saidBefore(text, start, words) || words.test(text.slice(end, end + CONTEXT_AFTER));
}
