/** Half-open range of UTF-16 offsets. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

// Words that end in a full stop without ending a sentence. Lower case, without the stop.
const ABBREVIATIONS: ReadonlySet<string> = new Set(
  (
    "mr mrs ms dr prof sr jr st rev gen col capt lt sgt hon gov sen rep pres vs etc eg ie e.g i.e cf al approx dept est fig figs no nos vol " +
    "pp ed eds inc ltd corp co jan feb mar apr jun jul aug sep sept oct nov dec u.s u.k u.n a.m p.m ph.d viz ca bzw z.b d.h usw nr str hr fr"
  ).split(" "),
);

// A terminator with what closes around it, then a blank; or a full stop of a script that puts no blank after it.
// Repetitions are bounded: without that a million full stops cost a million squared.
const CANDIDATE = /[.!?…]{1,8}["'”’»)\]]{0,4}(?=\s)|[。！？｡]["'”’」』）]{0,4}|[।؟۔](?=\s)/gu;
const WORD_BEFORE = /[\p{L}\p{N}.]+$/u;
const OPENS_SENTENCE = /^\s+["'“‘«([¿¡*_-]*[\p{Lu}\p{Lt}\p{Lo}\p{N}¿¡#]/u;
/** UTF-16 units looked at around a candidate: words are shorter. */
const CONTEXT_LENGTH = 32;

function endsSentence(text: string, matchStart: number, matchEnd: number, limit: number): boolean {
  const mark = text.charCodeAt(matchStart);
  if (mark > 0x2fff || mark !== 0x2e) {
    // "Really?" he said: a question mark inside a sentence is followed by lower case.
    return mark > 0x2fff || OPENS_SENTENCE.test(text.slice(matchEnd, Math.min(limit, matchEnd + CONTEXT_LENGTH)));
  }
  if (!OPENS_SENTENCE.test(text.slice(matchEnd, Math.min(limit, matchEnd + CONTEXT_LENGTH)))) return false;
  if (matchEnd - matchStart > 1 && text.charCodeAt(matchStart + 1) === 0x2e) return true;
  const word = WORD_BEFORE.exec(text.slice(Math.max(0, matchStart - CONTEXT_LENGTH), matchStart))?.[0] ?? "";
  // A single letter before the stop is an initial ("J. Smith"), a number with nothing else is a list mark ("3. Then").
  return !(/^\p{L}$/u.test(word) && word !== "I") && !ABBREVIATIONS.has(word.toLowerCase());
}

/**
 * Sentences of `text[start, end)` in order, each without blanks at its ends, covering every character that is not blank.
 * Own rules, since Intl.Segmenter cuts after "Dr." and at every line break of wrapped prose.
 */
export function sentencesOf(text: string, start: number, end: number): Span[] {
  const sentences: Span[] = [];
  let from = start;
  // Over the slice: a search in the whole text would run past the end each time.
  for (const match of text.slice(start, end).matchAll(CANDIDATE)) {
    const matchStart = start + match.index;
    const stop = matchStart + match[0].length;
    if (stop >= end) break;
    if (!endsSentence(text, matchStart, stop, end)) continue;
    pushTrimmed(sentences, text, { start: from, end: stop });
    from = stop;
  }
  pushTrimmed(sentences, text, { start: from, end });
  return sentences;
}

/** Appends `span` without the blanks at its ends, unless nothing is left. */
export function pushTrimmed(spans: Span[], text: string, span: Span): void {
  const piece = text.slice(span.start, span.end);
  const start = span.start + (piece.length - piece.trimStart().length);
  const end = span.end - (piece.length - piece.trimEnd().length);
  if (end > start) spans.push({ start, end });
}
