import { type Block, blocksOf } from "./blocks.ts";
import type { ChunkLimits, ChunkTokenCounter } from "./chunk.ts";
import { type SectionContext, SectionPath } from "./context.ts";
import { partsOf } from "./parts.ts";
import { type Span, sentencesOf } from "./sentences.ts";

/** What a cut after a unit would separate, from harmless to harmful. `heading`: a heading from what it stands above. */
export type BreakKind = "section" | "paragraph" | "line" | "sentence" | "row" | "word" | "heading";

/** The smallest piece that packing moves: a sentence, a line of a list or of code, or a part of one that is too long. */
export interface Unit extends Span {
  readonly tokenCount: number;
  readonly breakAfter: BreakKind;
  /** Of a chunk that begins with this unit. */
  readonly context: SectionContext;
}

/**
 * Units of a text in order, disjoint, without blanks at their ends, together holding every character that is not blank.
 * Each keeps to `limits` by the counter, as far as one character can.
 */
export function unitsOf(text: string, limits: ChunkLimits, counter: ChunkTokenCounter): Unit[] {
  const units: Unit[] = [];
  const path = new SectionPath(counter, limits.maxTokens);
  const blocks = blocksOf(text);
  let context = path.context();
  for (const [index, block] of blocks.entries()) {
    if (block.kind === "heading") {
      path.leave(block.level);
      context = path.context();
    }
    const isWhole = block.kind === "code" || block.kind === "row" || block.kind === "heading";
    const sentences = isWhole ? [block] : sentencesOf(text, block.start, block.end);
    for (const [position, sentence] of sentences.entries()) {
      const isLast = position === sentences.length - 1;
      const breakAfter = isLast ? breakAfterBlock(block, blocks[index + 1], sentences.length) : "sentence";
      const maxTokens = limits.maxTokens - context.tokenCount;
      pushUnits(units, {
        text,
        span: { start: sentence.start, end: sentence.end },
        breakAfter,
        context,
        limits: { ...limits, maxTokens },
        counter,
      });
    }
    if (block.kind === "heading") {
      path.enter(block, text);
      context = path.context();
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
  readonly context: SectionContext;
  readonly limits: ChunkLimits;
  readonly counter: ChunkTokenCounter;
}

function pushUnits(units: Unit[], source: UnitSource): void {
  const { text, span, breakAfter, context, limits, counter } = source;
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
