import { HashCounter } from "./hash-counter.ts";

/** Lines and paragraphs of one text that are compared with each other; the rest of a longer text counts as new. */
const COMPARED_LINES_MAX = 16_384;
/** Lines of this many characters or fewer (braces, bullets) repeat in every program and say nothing about repetition. */
const SHORT_LINE_SOLID = 3;
/** FineWeb's short line: under 30 characters (Penedo et al. 2024, section 3.6). */
const SHORT_LINE_CHARACTERS = 30;

/** How often parts of one kind came back; `solid` are characters without blanks. */
export interface RepeatMeasures {
  readonly count: number;
  readonly topCount: number;
  /** Occurrences after the first. */
  readonly duplicates: number;
  readonly duplicateSolid: number;
  readonly solid: number;
}

/** What of one kind (line, paragraph) has occurred before in the text. */
class Repeats {
  readonly #counter = new HashCounter(COMPARED_LINES_MAX);
  count = 0;
  topCount = 0;
  duplicates = 0;
  duplicateSolid = 0;
  solid = 0;

  reset(textLength: number): void {
    this.#counter.reset(Math.min(textLength >> 2, COMPARED_LINES_MAX));
    this.count = this.topCount = this.duplicates = this.duplicateSolid = this.solid = 0;
  }

  measures(): RepeatMeasures {
    const { count, topCount, duplicates, duplicateSolid, solid } = this;
    return { count, topCount, duplicates, duplicateSolid, solid };
  }

  add(hash: number, solid: number): void {
    const count = this.#counter.add(hash);
    this.count++;
    this.solid += solid;
    if (count > this.topCount) this.topCount = count;
    if (count === 1) return;
    this.duplicates++;
    this.duplicateSolid += solid;
  }
}

/** One line as the scan saw it. Lengths in UTF-16 units. */
export interface ScannedLine {
  /** Of its words. */
  readonly hash: number;
  /** Units that are no blanks, and all. */
  readonly solid: number;
  readonly characters: number;
  /** The first unit that is no blank, and whether a blank follows it. */
  readonly first: number;
  readonly firstStandsAlone: boolean;
  /** The last unit that is no blank, and whether three full stops end the line. */
  readonly last: number;
  readonly endsInStops: boolean;
}

/** Bullets that need no blank after them, and signs that are bullets only before one. */
const BULLETS = codes("•‣▶◀◦■□▪▫●○∙");
const BULLETS_BEFORE_BLANK = codes("–—-*+·");
// Marks that may follow a sentence's end (quotes, brackets) count with it.
const SENTENCE_ENDS = codes(".!?:;…。！？：；؟।\"'”’»)]）」』");
const ELLIPSIS = 0x2026;

function codes(marks: string): ReadonlySet<number> {
  return new Set(Array.from(marks, (mark) => mark.charCodeAt(0)));
}

/** The lines and paragraphs of one text. Lines of blanks alone part paragraphs and are not counted. */
export class LineList {
  readonly lines = new Repeats();
  readonly paragraphs = new Repeats();
  count = 0;
  bullets = 0;
  ellipses = 0;
  unpunctuated = 0;
  short = 0;
  #paragraphHash = 0;
  #paragraphSolid = 0;

  reset(textLength: number): void {
    this.lines.reset(textLength);
    this.paragraphs.reset(textLength);
    this.count = this.bullets = this.ellipses = this.unpunctuated = this.short = 0;
    this.#paragraphHash = this.#paragraphSolid = 0;
  }

  add(line: ScannedLine): void {
    if (line.solid === 0) return this.endParagraph();
    this.count++;
    if (BULLETS.has(line.first) || (line.firstStandsAlone && BULLETS_BEFORE_BLANK.has(line.first))) this.bullets++;
    if (line.endsInStops || line.last === ELLIPSIS) this.ellipses++;
    if (!SENTENCE_ENDS.has(line.last)) this.unpunctuated++;
    if (line.characters < SHORT_LINE_CHARACTERS) this.short++;
    if (line.solid > SHORT_LINE_SOLID) this.lines.add(line.hash, line.solid);
    this.#paragraphHash = (Math.imul(this.#paragraphHash, 0x01000193) ^ line.hash) | 0;
    this.#paragraphSolid += line.solid;
  }

  /** Ends the paragraph of the lines so far; called once more at the end of the text. */
  endParagraph(): void {
    if (this.#paragraphSolid > SHORT_LINE_SOLID) this.paragraphs.add(this.#paragraphHash, this.#paragraphSolid);
    this.#paragraphHash = this.#paragraphSolid = 0;
  }
}
