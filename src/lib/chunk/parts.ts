import type { ChunkLimits, ChunkTokenCounter } from "./chunk.ts";
import type { Span } from "./sentences.ts";

/** A sentence that is too long is cut into about this many parts per chunk, so that packing can still fill one. */
const PARTS_PER_CHUNK = 8;

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
