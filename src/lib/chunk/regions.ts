import type { ChunkLimits } from "./chunk.ts";
import type { Unit } from "./units.ts";

/** Units [first, last): packed by themselves, so that an edit moves no cut outside. */
export interface Region {
  readonly first: number;
  readonly last: number;
}

// Sizes in full chunks. Below the first a region could not be packed evenly.
const CHUNKS_BEFORE_SECTION = 2;
const CHUNKS_BEFORE_PARAGRAPH = 4;
const CHUNKS_MAX = 24;
/** One paragraph end in four may close a region. */
const CLOSING_SHARE = 4;

/**
 * Cuts the units into regions where the text itself says so: before a heading, or after a paragraph chosen by a hash of its last unit.
 * The choice looks at the region so far and no further, so cuts before an edit stay, and after it they soon fall on the same places again
 * (content-defined chunking, Muthitacharoen et al. 2001, at the level of paragraphs). A short rest joins the region before it.
 */
export function regionsOf(text: string, units: readonly Unit[], limits: ChunkLimits): Region[] {
  const regions: Region[] = [];
  let first = 0;
  let tokenCount = 0;
  for (const [index, unit] of units.entries()) {
    tokenCount += unit.tokenCount;
    if (!closesRegion(text, unit, tokenCount / limits.maxTokens)) continue;
    regions.push({ first, last: index + 1 });
    first = index + 1;
    tokenCount = 0;
  }
  if (first === units.length) return regions;
  const before = regions.at(-1);
  if (before === undefined || tokenCount >= limits.maxTokens) return [...regions, { first, last: units.length }];
  return [...regions.slice(0, -1), { first: before.first, last: units.length }];
}

function closesRegion(text: string, unit: Unit, chunkCount: number): boolean {
  if (unit.breakAfter === "section") return chunkCount >= CHUNKS_BEFORE_SECTION;
  if (unit.breakAfter === "paragraph" || unit.breakAfter === "line")
    return chunkCount >= CHUNKS_BEFORE_PARAGRAPH && hashOf(text, unit) % CLOSING_SHARE === 0;
  return chunkCount >= CHUNKS_MAX && unit.breakAfter !== "heading" && unit.breakAfter !== "word";
}

/** UTF-16 units of a unit that its hash looks at. */
const HASHED_LENGTH_MAX = 64;

// FNV-1a over the end of the unit.
function hashOf(text: string, unit: Unit): number {
  let hash = 0x811c9dc5;
  for (let at = Math.max(unit.start, unit.end - HASHED_LENGTH_MAX); at < unit.end; at++)
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
