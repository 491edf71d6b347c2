import type { ChunkLimits, ChunkTokenCounter } from "./chunk.ts";
import { pushTrimmed, sentencesOf, type Span } from "./sentences.ts";

/** What a cut after a unit would separate, from harmless to harmful. */
export type BreakKind = "paragraph" | "line" | "sentence" | "word" | "heading";

/** The smallest piece that packing moves: a sentence, a line of a list, or a part of a sentence that is too long. */
export interface Unit extends Span {
  readonly tokenCount: number;
  readonly breakAfter: BreakKind;
}

const PARAGRAPH_GAP = /\n[^\S\n]*\n\s*|\f|\u2029/g;
// A line that begins like an item, a heading, a quotation, a table row or a turn of a talk does not continue the one before it.
const LINE_OPENER = /^[^\S\n]*(?:[-*+•–>|#]|\d{1,3}[.)]|\p{L}\)|[\p{Lu}][\p{L} ]{0,30}:\s)/u;
const LINE_CLOSER = /[.!?:;…。！？”"|]\s*$/u;
/** Characters of a line above which nobody wrapped it by hand. */
const UNWRAPPED_LINE_LENGTH = 160;
/** Characters of a single-line paragraph that can be a heading. */
const HEADING_LENGTH_MAX = 90;
const HEADING = /^(?:#{1,6}\s|[^.!?:;,…。！？]*$)/u;
/** A sentence that is too long is cut into about this many parts per chunk, so that packing can still fill one. */
const PARTS_PER_CHUNK = 8;

function paragraphsOf(text: string): Span[] {
  const paragraphs: Span[] = [];
  let from = 0;
  PARAGRAPH_GAP.lastIndex = 0;
  for (let gap = PARAGRAPH_GAP.exec(text); gap !== null; gap = PARAGRAPH_GAP.exec(text)) {
    pushTrimmed(paragraphs, text, { start: from, end: gap.index });
    from = gap.index + gap[0].length;
  }
  pushTrimmed(paragraphs, text, { start: from, end: text.length });
  return paragraphs;
}

// Lines of a paragraph, where a line break means something; wrapped prose comes back as one.
function linesOf(text: string, paragraph: Span): Span[] {
  const lines: Span[] = [];
  let from = paragraph.start;
  let lineStart = paragraph.start;
  for (let at = text.indexOf("\n", from); at !== -1 && at < paragraph.end; at = text.indexOf("\n", at + 1)) {
    const line = text.slice(lineStart, at);
    const next = text.slice(at + 1, Math.min(paragraph.end, at + 1 + 40));
    if (line.length > UNWRAPPED_LINE_LENGTH || LINE_CLOSER.test(line.slice(-4)) || LINE_OPENER.test(next)) {
      pushTrimmed(lines, text, { start: from, end: at });
      from = at + 1;
    }
    lineStart = at + 1;
  }
  pushTrimmed(lines, text, { start: from, end: paragraph.end });
  return lines;
}

// The largest prefix of text[start, end) that keeps to the limits, at least one character, never half a surrogate pair.
function prefixThatFits(text: string, span: Span, limits: ChunkLimits, counter: ChunkTokenCounter): number {
  let length = Math.min(span.end - span.start, limits.maxCharacters);
  while (length > 1) {
    const tokenCount = counter.count(text.slice(span.start, span.start + length));
    if (tokenCount <= limits.maxTokens) break;
    // Tokens spread evenly enough over such text, so the next guess nearly always fits.
    length = Math.max(1, Math.min(length - 1, Math.floor((length * limits.maxTokens) / tokenCount)));
  }
  const last = text.charCodeAt(span.start + length - 1);
  const splitsPair = last >= 0xd800 && last <= 0xdbff && span.start + length < span.end;
  if (!splitsPair) return span.start + length;
  return length > 1 ? span.start + length - 1 : span.start + 2;
}

/** Parts of a span that is too long: groups of words, and cuts between characters where one word is too long. */
export function partsOf(text: string, span: Span, limits: ChunkLimits, counter: ChunkTokenCounter): Span[] {
  const tokensPerPart = Math.max(1, Math.floor(limits.maxTokens / PARTS_PER_CHUNK));
  const characters = Math.max(2, Math.floor(limits.maxCharacters / PARTS_PER_CHUNK));
  const parts: Span[] = [];
  let groupStart = -1;
  let groupEnd = -1;
  let groupTokens = 0;
  const close = (): void => {
    if (groupStart >= 0) parts.push({ start: groupStart, end: groupEnd });
    groupStart = -1;
    groupTokens = 0;
  };
  for (const match of text.slice(span.start, span.end).matchAll(/\S+/g)) {
    const start = span.start + match.index;
    const end = start + match[0].length;
    const tokenCount = end - start > limits.maxCharacters ? Number.POSITIVE_INFINITY : counter.count(match[0]);
    if (tokenCount > limits.maxTokens) {
      close();
      for (let at = start; at < end;) {
        const stop = prefixThatFits(text, { start: at, end }, limits, counter);
        parts.push({ start: at, end: stop });
        at = stop;
      }
      continue;
    }
    if (groupStart >= 0 && (groupTokens + tokenCount > tokensPerPart || end - groupStart > characters)) close();
    if (groupStart < 0) groupStart = start;
    groupEnd = end;
    groupTokens += tokenCount;
  }
  close();
  return parts;
}

/**
 * Units of a text in order, disjoint, without blanks at their ends, together holding every character that is not blank.
 * Each keeps to `limits` by the counter, as far as one character can.
 */
export function unitsOf(text: string, limits: ChunkLimits, counter: ChunkTokenCounter): Unit[] {
  const units: Unit[] = [];
  for (const paragraph of paragraphsOf(text)) {
    const lines = linesOf(text, paragraph);
    for (const [lineIndex, line] of lines.entries()) {
      const isLastLine = lineIndex === lines.length - 1;
      const sentences = sentencesOf(text, line.start, line.end);
      for (const [sentenceIndex, sentence] of sentences.entries()) {
        const isLastSentence = sentenceIndex === sentences.length - 1;
        const isHeading = lines.length === 1 && sentences.length === 1 && looksLikeHeading(text, sentence);
        const lineBreak = isLastLine ? (isHeading ? "heading" : "paragraph") : "line";
        pushUnits(units, {
          text,
          span: sentence,
          breakAfter: isLastSentence ? lineBreak : "sentence",
          limits,
          counter,
        });
      }
    }
  }
  return units;
}

function looksLikeHeading(text: string, span: Span): boolean {
  return span.end - span.start <= HEADING_LENGTH_MAX && HEADING.test(text.slice(span.start, span.end));
}

interface UnitSource {
  readonly text: string;
  readonly span: Span;
  readonly breakAfter: BreakKind;
  readonly limits: ChunkLimits;
  readonly counter: ChunkTokenCounter;
}

function pushUnits(units: Unit[], source: UnitSource): void {
  const { text, span, breakAfter, limits, counter } = source;
  const fitsCharacters = span.end - span.start <= limits.maxCharacters;
  const tokenCount = fitsCharacters ? counter.count(text.slice(span.start, span.end)) : Number.POSITIVE_INFINITY;
  if (tokenCount <= limits.maxTokens) {
    units.push({ ...span, tokenCount, breakAfter });
    return;
  }
  const parts = partsOf(text, span, limits, counter);
  for (const [index, part] of parts.entries()) {
    const kind = index === parts.length - 1 ? breakAfter : "word";
    units.push({ ...part, tokenCount: counter.count(text.slice(part.start, part.end)), breakAfter: kind });
  }
}
