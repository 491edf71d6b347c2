import { decodeText } from "./decode-text.ts";
import { type FileBytes, type ReadItem, refusal } from "./read-item.ts";

/** One document per file. The title of a Markdown file is its first heading of the first level. */
export function readPlainText({ path, bytes }: FileBytes): readonly ReadItem[] {
  const decoded = decodeText(bytes);
  if (decoded === undefined) return [refusal("file_binary")];
  const { text, encoding } = decoded;
  const title = /\.(md|markdown)$/i.test(path) ? headingOf(text) : undefined;
  const metadata = encoding === "utf-8" ? {} : { encoding };
  return [{ kind: "document", id: path, text, metadata, ...(title === undefined ? {} : { title }) }];
}

/** Characters at the start of a file in which its heading is looked for. */
const HEADING_WITHIN = 4_000;

function headingOf(text: string): string | undefined {
  return /^#[ \t]+(\S[^\n]{0,300})$/m.exec(text.slice(0, HEADING_WITHIN).replaceAll("\r\n", "\n"))?.[1]?.trim();
}
