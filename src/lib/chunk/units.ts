import { type Block, type BlockKind, blocksOf } from "./blocks.ts";
import type { ChunkLimits, ChunkTokenCounter } from "./chunk.ts";
import { ContextTracker, type PieceContext } from "./context.ts";
import { partsOf } from "./parts.ts";
import { type Span, sentencesOf } from "./sentences.ts";
import { speakersOf } from "./turns.ts";

/** What a cut after a unit would separate, from harmless to harmful. `heading`: a heading from what it stands above. */
export type BreakKind = "section" | "paragraph" | "line" | "sentence" | "row" | "word" | "heading";

// Kinds that are not cut into sentences.
const WHOLE: ReadonlySet<BlockKind> = new Set<BlockKind>(["code", "row", "heading"]);

/** The smallest piece that packing moves: a sentence, a line of a list or of code, or a part of one that is too long. */
export interface Unit extends Span {
  readonly tokenCount: number;
  readonly breakAfter: BreakKind;
  /** Of a chunk that begins with this unit. */
  readonly context: PieceContext;
}

/**
 * Units of a text in order, disjoint, without blanks at their ends, together holding every character that is not blank.
 * Each keeps to `limits` with its context by the counter, as far as one character can.
 */
export function unitsOf(text: string, limits: ChunkLimits, counter: ChunkTokenCounter): Unit[] {
  const units: Unit[] = [];
  const tracker = new ContextTracker(counter, limits.maxTokens);
  const blocks = blocksOf(text);
  const speakers = speakersOf(text, blocks);
  let context = tracker.context();
  for (const [index, block] of blocks.entries()) {
    const speaker = speakers[index];
    if (block.kind === "heading") {
      tracker.leave(block.level);
      context = tracker.context();
    }
    let lead = context;
    if (speaker !== undefined) {
      lead = tracker.startTurn(speaker);
      context = tracker.context();
    }
    const sentences = WHOLE.has(block.kind) ? [block] : sentencesOf(text, block.start, block.end);
    for (const [position, { start, end }] of sentences.entries()) {
      const isLast = position === sentences.length - 1;
      const breakAfter = isLast ? breakAfterBlock(block, blocks[index + 1], sentences.length) : "sentence";
      const span = { start, end };
      pushUnits(units, { text, span, breakAfter, context: position === 0 ? lead : context, limits, counter });
      if (isLast) tracker.say(text.slice(start, end), speaker !== undefined && position === 0);
    }
    if (block.kind === "heading") {
      tracker.enter(block, text);
      context = tracker.context();
    }
  }
  return units;
}

function breakAfterBlock(block: Block, next: Block | undefined, sentenceCount: number): BreakKind {
  if (block.kind === "heading" || (block.kind === "title" && sentenceCount === 1)) return "heading";
  if (next?.kind === "heading") return "section";
  if (block.endsParagraph) return "paragraph";
  return block.kind === "code" || block.kind === "row" ? "row" : "line";
}

interface UnitSource {
  readonly text: string;
  readonly span: Span;
  readonly breakAfter: BreakKind;
  readonly context: PieceContext;
  readonly limits: ChunkLimits;
  readonly counter: ChunkTokenCounter;
}

function pushUnits(units: Unit[], source: UnitSource): void {
  const { text, span, breakAfter, context, counter } = source;
  const limits = { ...source.limits, maxTokens: source.limits.maxTokens - context.tokenCount };
  const fitsCharacters = span.end - span.start <= limits.maxCharacters;
  const tokenCount = fitsCharacters ? counter.count(text.slice(span.start, span.end)) : Number.POSITIVE_INFINITY;
  if (tokenCount <= limits.maxTokens) {
    units.push({ ...span, tokenCount, breakAfter, context });
    return;
  }
  const parts = partsOf(text, span, limits, counter);
  for (const [index, part] of parts.entries()) {
    const kind = index === parts.length - 1 ? breakAfter : "word";
    units.push({ ...part, tokenCount: counter.count(text.slice(part.start, part.end)), breakAfter: kind, context });
  }
}
