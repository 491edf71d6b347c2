import { Parser } from "htmlparser2";
import { err, ok, type Result } from "../../lib/base/result.ts";
import { READ_LIMITS } from "./read-limits.ts";

export interface HtmlText {
  readonly title: string;
  readonly text: string;
}

/** Elements whose content is not what a reader came for. */
const SKIPPED = new Set([
  "script",
  "style",
  "noscript",
  "template",
  "svg",
  "nav",
  "head",
  "iframe",
  "object",
  "select",
  "button",
]);
const PARAGRAPHS = new Set([
  "p",
  "div",
  "section",
  "article",
  "main",
  "header",
  "footer",
  "aside",
  "table",
  "ul",
  "ol",
  "dl",
  "blockquote",
  "figure",
  "form",
  "pre",
]);
const LINES = new Set(["br", "tr", "dt", "dd", "figcaption", "caption", "hr"]);
const HEADING = /^h([1-6])$/;

/**
 * Readable text of an HTML page as light Markdown: headings with #, list items with -, table cells parted by |, preformatted text as it is.
 * Scripts, styles, navigation and hidden elements are left out. Errors: `html_too_deep`, `text_too_large`.
 */
export function htmlText(html: string): Result<HtmlText, "html_too_deep" | "text_too_large"> {
  const writer = new TextWriter();
  let skipDepth = 0;
  let inTitle = false;
  let depth = 0;
  let title = "";
  let failure: "html_too_deep" | "text_too_large" | undefined;
  const parser = new Parser({
    onopentag(name, attributes) {
      depth++;
      if (depth > READ_LIMITS.htmlDepthMax) failure = "html_too_deep";
      if (name === "title" && title === "") inTitle = true;
      if (skipDepth > 0 || SKIPPED.has(name) || isHidden(attributes)) skipDepth++;
      else writer.open(name);
    },
    onclosetag(name) {
      depth--;
      if (name === "title") inTitle = false;
      if (skipDepth > 0) skipDepth--;
      else writer.close(name);
    },
    ontext(text) {
      if (inTitle) title += text;
      if (skipDepth > 0 || failure !== undefined) return;
      writer.text(text);
      if (writer.length > READ_LIMITS.textCharactersMax) failure = "text_too_large";
    },
  });
  parser.end(html);
  if (failure !== undefined) return err(failure);
  return ok({ title: title.replace(/\s+/g, " ").trim(), text: writer.result() });
}

function isHidden(attributes: Readonly<Record<string, string>>): boolean {
  return "hidden" in attributes || attributes["aria-hidden"] === "true";
}

/** Joins runs of text with the white space that their elements ask for. */
class TextWriter {
  readonly #parts: string[] = [];
  length = 0;
  #breaks = 0;
  #pre = 0;
  #isLineStart = true;

  open(name: string): void {
    const heading = HEADING.exec(name);
    if (name === "pre") this.#pre++;
    if (heading !== null || PARAGRAPHS.has(name)) this.#break(2);
    else if (LINES.has(name) || name === "li") this.#break(1);
    if (heading !== null) this.#write(`${"#".repeat(Number(heading[1]))} `);
    else if (name === "li") this.#write("- ");
    else if ((name === "td" || name === "th") && !this.#isLineStart && this.#breaks === 0) this.#write(" | ");
  }

  close(name: string): void {
    if (name === "pre") this.#pre--;
    if (HEADING.test(name) || PARAGRAPHS.has(name)) this.#break(2);
    else if (name === "tr" || name === "li") this.#break(1);
  }

  text(text: string): void {
    if (this.#pre > 0) return this.#write(text);
    const flat = text.replace(/\s+/g, " ");
    this.#write(this.#isLineStart || this.#breaks > 0 ? flat.trimStart() : flat);
  }

  result(): string {
    return this.#parts
      .join("")
      .replace(/[ \t]+\n/g, "\n")
      .trim();
  }

  #break(count: number): void {
    this.#breaks = Math.max(this.#breaks, count);
  }

  #write(text: string): void {
    if (text === "") return;
    const breaks = this.#parts.length === 0 ? "" : "\n".repeat(this.#breaks);
    this.#breaks = 0;
    this.#parts.push(breaks, text);
    this.length += breaks.length + text.length;
    this.#isLineStart = text.endsWith("\n") || /^(#+|-) $/.test(text);
  }
}
