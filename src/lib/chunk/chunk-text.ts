import { chunkLimitsOf, type Chunk, type ChunkLimits, type ChunkOptions, type ChunkTokenCounter } from "./chunk.ts";
import { budgetOf, packUnits } from "./pack.ts";
import { partsOf } from "./parts.ts";
import { regionsOf } from "./regions.ts";
import type { Span } from "./sentences.ts";
import { type Unit, unitsOf } from "./units.ts";

/** Changes whenever the same text may be cut or given context differently: part of what makes two chunkings comparable. */
export const CHUNKER_VERSION = "2";

/**
 * Chunks of a text in document order. Every character that is not blank lies in at least one chunk, no chunk begins or ends with a
 * blank, none has more than `maxTokens` tokens by the counter with its context (unless a single character has), none splits a surrogate
 * pair. Pure; time linear in the text.
 */
export function chunkText(text: string, counter: ChunkTokenCounter, options: ChunkOptions): Chunk[] {
  const limits = chunkLimitsOf(options);
  const units = unitsOf(text, limits, counter);
  const chunks: Chunk[] = [];
  for (const region of regionsOf(text, units, limits)) {
    const inRegion = units.slice(region.first, region.last);
    for (const packing of packUnits(inRegion, limits)) {
      const own = inRegion[packing.own];
      const first = inRegion[packing.first];
      const end = inRegion[packing.last - 1]?.end ?? 0;
      if (own === undefined || first === undefined) break;
      const budget = budgetOf(first, limits);
      // A chunk always adds something after the start of the one before it.
      const overlapFits =
        first.start > (chunks.at(-1)?.startOffset ?? -1) && counter.count(text.slice(first.start, end)) <= budget;
      const lead = overlapFits ? first : own;
      const ownLimits = { ...limits, maxTokens: budgetOf(own, limits) };
      const spans = overlapFits
        ? [{ start: first.start, end }]
        : fitting(text, { start: own.start, end }, counter, ownLimits);
      for (const span of spans) {
        const tokenCount = counter.count(text.slice(span.start, span.end));
        chunks.push({ index: chunks.length, ...offsetsOf(span), tokenCount, ...contextOf(lead) });
      }
    }
  }
  return chunks;
}

function offsetsOf(span: Span): Pick<Chunk, "startOffset" | "endOffset"> {
  return { startOffset: span.start, endOffset: span.end };
}

function contextOf(lead: Unit): Pick<Chunk, "context" | "contextTokenCount"> {
  return { context: lead.context.text, contextTokenCount: lead.context.tokenCount };
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
