import { decodeText } from "./decode-text.ts";
import { htmlText } from "./html-text.ts";
import { type FileBytes, type ReadItem, refusal } from "./read-item.ts";

/** Bytes at the start of a page that may name its encoding (HTML standard, prescan). */
const PRESCAN_BYTES = 1024;

/** One document per page, its title that of the page. */
export function readHtml({ path, bytes }: FileBytes): readonly ReadItem[] {
  const decoded = decodeDeclared(bytes);
  if (decoded === undefined) return [refusal("file_binary")];
  const page = htmlText(decoded.text);
  if (!page.ok) return [refusal(page.error)];
  const { title, text } = page.value;
  const metadata = decoded.encoding === "utf-8" ? {} : { encoding: decoded.encoding };
  return [{ kind: "document", id: path, text, metadata, ...(title === "" ? {} : { title }) }];
}

/** A page's own word on its encoding goes before a guess, valid UTF-8 before both. */
function decodeDeclared(bytes: Uint8Array): ReturnType<typeof decodeText> {
  const decoded = decodeText(bytes);
  if (decoded === undefined || decoded.encoding.startsWith("utf-")) return decoded;
  const head = new TextDecoder("latin1").decode(bytes.subarray(0, PRESCAN_BYTES));
  const declared = /<meta[^>]{0,200}charset=["']?([\w-]{1,40})/i.exec(head)?.[1];
  if (declared === undefined) return decoded;
  try {
    const decoder = new TextDecoder(declared, { fatal: true });
    return { text: decoder.decode(bytes), encoding: decoder.encoding };
  } catch {
    return decoded;
  }
}
