import { pushTrimmed, type Span } from "./sentences.ts";

/** What a block is, as far as cutting cares. A `title` is a line that looks like a heading without being marked as one. */
export type BlockKind = "prose" | "heading" | "title" | "row" | "code";

/** Part of a text that is cut by its own rules: a paragraph or a line that stands for itself. Trimmed, in order, disjoint. */
export interface Block extends Span {
  readonly kind: BlockKind;
  /** 1..6 for headings, 0 for the rest. */
  readonly level: number;
  /** Whether a blank line, or the end of the text, follows. */
  readonly endsParagraph: boolean;
}

const PARAGRAPH_GAP = /\n[^\S\n]*\n\s*|\f|\u2029/g;
// A line that begins like an item, a heading, a quotation, a table row or a turn of a talk does not continue the one before it.
const LINE_OPENER = /^[^\S\n]*(?:[-*+•–>|#=]|\d{1,3}[.)]|\p{L}\)|[\p{Lu}][\p{L} ]{0,30}:\s)/u;
const LINE_CLOSER = /[.!?:;…。！？”"|]\s*$/u;
/** Characters of a line above which nobody wrapped it by hand. */
const UNWRAPPED_LINE_LENGTH = 160;
/** Characters of a line that can be a heading: longer ones are sentences that begin with a sign. */
const HEADING_LENGTH_MAX = 200;
/** Characters of a single-line paragraph that can be a title. */
const TITLE_LENGTH_MAX = 90;
// Markdown "## Name", MediaWiki "== Name ==" (also with blanks between the signs); the sign is captured.
const HEADING_LINE =
  /^[^\S\n]{0,3}(?:(#{1,6})[^\S\n]+\S|(=(?:[^\S\n]?=){0,5})[^\S\n]+\S[^\n]*[^\S\n]=(?:[^\S\n]?=){0,5}\s*$)/;
const UNDERLINE = /^[^\S\n]{0,3}(?:={3,}|-{3,})[^\S\n]*$/;
const TITLE = /^[^.!?:;,…。！？|]*$/u;
const FENCE = /^[^\S\n]{0,3}(`{3,}|~{3,})([^\n`]*)$/gm;

/** Blocks of a text. Code between fences is one block for each of its lines, a table one for each row. Linear in the text. */
export function blocksOf(text: string): Block[] {
  const blocks: Block[] = [];
  let from = 0;
  for (const code of fencesOf(text)) {
    pushProse(blocks, text, { start: from, end: code.start });
    pushCode(blocks, text, code);
    from = code.end;
  }
  pushProse(blocks, text, { start: from, end: text.length });
  return blocks;
}

// Fenced code, fences included. A fence that is never closed is a typing error, not code to the end of the text.
function fencesOf(text: string): Span[] {
  const fences: Span[] = [];
  let open: { readonly start: number; readonly mark: string } | undefined;
  for (const match of text.matchAll(FENCE)) {
    const mark = match[1] ?? "";
    if (open === undefined) open = { start: match.index, mark };
    else if (mark.startsWith(open.mark) && match[2]?.trim() === "") {
      fences.push({ start: open.start, end: match.index + match[0].length });
      open = undefined;
    }
  }
  return fences;
}

function pushCode(blocks: Block[], text: string, code: Span): void {
  const lines: Span[] = [];
  for (let from = code.start; from < code.end;) {
    const newline = text.indexOf("\n", from);
    const end = newline === -1 || newline > code.end ? code.end : newline;
    pushTrimmed(lines, text, { start: from, end });
    from = end + 1;
  }
  for (const [index, line] of lines.entries()) {
    const next = lines[index + 1];
    const endsParagraph = next === undefined || /\n[^\S\n]*\n/.test(text.slice(line.end, next.start));
    blocks.push({ ...line, kind: "code", level: 0, endsParagraph });
  }
}

function pushProse(blocks: Block[], text: string, span: Span): void {
  let from = span.start;
  // Over the slice: a search in the whole text would run past the span each time.
  for (const gap of text.slice(span.start, span.end).matchAll(PARAGRAPH_GAP)) {
    pushParagraph(blocks, text, { start: from, end: span.start + gap.index });
    from = span.start + gap.index + gap[0].length;
  }
  pushParagraph(blocks, text, { start: from, end: span.end });
}

function pushParagraph(blocks: Block[], text: string, paragraph: Span): void {
  const trimmed: Span[] = [];
  pushTrimmed(trimmed, text, paragraph);
  for (const span of trimmed) {
    const lines = linesOf(text, span);
    for (const [index, line] of lines.entries()) {
      const endsParagraph = index === lines.length - 1;
      blocks.push({ ...line, ...kindOf(text.slice(line.start, line.end), lines.length), endsParagraph });
    }
  }
}

// Lines of a paragraph, where a line break means something; wrapped prose comes back as one.
function linesOf(text: string, paragraph: Span): Span[] {
  const lines: Span[] = [];
  let from = paragraph.start;
  let lineStart = paragraph.start;
  for (let at = text.indexOf("\n", from); at !== -1 && at < paragraph.end; at = text.indexOf("\n", at + 1)) {
    const line = text.slice(lineStart, at);
    const next = text.slice(at + 1, Math.min(paragraph.end, at + 1 + 40));
    const isHeading = line.length <= HEADING_LENGTH_MAX && HEADING_LINE.test(line);
    const isUnderlined = UNDERLINE.test(next.split("\n", 1)[0] ?? "");
    const isOpen = line.length <= UNWRAPPED_LINE_LENGTH && !LINE_CLOSER.test(line.slice(-4)) && !LINE_OPENER.test(next);
    if ((isHeading || !isOpen || UNDERLINE.test(line)) && !isUnderlined) {
      pushTrimmed(lines, text, { start: from, end: at });
      from = at + 1;
    }
    lineStart = at + 1;
  }
  pushTrimmed(lines, text, { start: from, end: paragraph.end });
  return lines;
}

function kindOf(line: string, lineCount: number): Pick<Block, "kind" | "level"> {
  if (line.length <= HEADING_LENGTH_MAX) {
    const marked = line.includes("\n") ? null : HEADING_LINE.exec(line);
    const sign = (marked?.[1] ?? marked?.[2] ?? "").replaceAll(/\s/g, "");
    if (sign !== "") return { kind: "heading", level: sign.length };
    const [name = "", underline = "", ...rest] = line.split("\n");
    if (rest.length === 0 && name.trim() !== "" && UNDERLINE.test(underline))
      return { kind: "heading", level: underline.includes("=") ? 1 : 2 };
  }
  if (line.startsWith("|")) return { kind: "row", level: 0 };
  const isTitle = lineCount === 1 && line.length <= TITLE_LENGTH_MAX && TITLE.test(line);
  return { kind: isTitle ? "title" : "prose", level: 0 };
}

/** The words of a heading without the signs around them. */
export function headingName(heading: string): string {
  return (heading.split("\n", 1)[0] ?? "").replaceAll(/^[\s#=]+|[\s#=]+$/g, "");
}
