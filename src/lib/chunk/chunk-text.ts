import { chunkLimitsOf, type Chunk, type ChunkLimits, type ChunkOptions, type ChunkTokenCounter } from "./chunk.ts";
import { packUnits } from "./pack.ts";
import type { Span } from "./sentences.ts";
import { partsOf, unitsOf } from "./units.ts";

/** Changes whenever the same text may be cut differently: part of what makes two chunkings comparable. */
export const CHUNKER_VERSION = "1";

/**
 * Chunks of a text in document order. Every character that is not blank lies in at least one chunk, no chunk begins or ends with a
 * blank, none has more than `maxTokens` tokens by the counter (unless a single character has), none splits a surrogate pair.
 * Pure; time linear in the text.
 */
export function chunkText(text: string, counter: ChunkTokenCounter, options: ChunkOptions): Chunk[] {
  const limits = chunkLimitsOf(options);
  const units = unitsOf(text, limits, counter);
  const chunks: Chunk[] = [];
  for (const packing of packUnits(units, limits)) {
    const end = units[packing.last - 1]?.end ?? 0;
    const own: Span = { start: units[packing.own]?.start ?? 0, end };
    const withOverlap: Span = { start: units[packing.first]?.start ?? 0, end };
    // A chunk always adds something after the start of the one before it.
    const overlapFits =
      withOverlap.start > (chunks.at(-1)?.startOffset ?? -1) &&
      counter.count(text.slice(withOverlap.start, end)) <= limits.maxTokens;
    for (const span of overlapFits ? [withOverlap] : fitting(text, own, counter, limits)) {
      const tokenCount = counter.count(text.slice(span.start, span.end));
      chunks.push({ index: chunks.length, startOffset: span.start, endOffset: span.end, tokenCount });
    }
  }
  return chunks;
}

// The span itself, or parts of it where counts of sentences do not add up to the count of the whole (byte-pair tokenizers).
function fitting(text: string, span: Span, counter: ChunkTokenCounter, limits: ChunkLimits): Span[] {
  if (counter.count(text.slice(span.start, span.end)) <= limits.maxTokens) return [span];
  const parts = partsOf(text, span, limits, counter);
  const spans: Span[] = [];
  let open: Span | undefined;
  for (const part of parts) {
    const joined: Span = open === undefined ? part : { start: open.start, end: part.end };
    const fits = counter.count(text.slice(joined.start, joined.end)) <= limits.maxTokens;
    if (open !== undefined && !fits) spans.push(open);
    open = fits ? joined : part;
  }
  if (open !== undefined) spans.push(open);
  return spans;
}
