import { setTimeout as sleep } from "node:timers/promises";
import { extractText, getDocumentProxy, getMeta } from "unpdf";
import { type FileBytes, type ReadItem, refusal } from "./read-item.ts";
import { READ_LIMITS } from "./read-limits.ts";

/** One document per PDF: the text of its pages, parted by blank lines. Pictures of text are not read. */
export async function readPdf(file: FileBytes): Promise<readonly ReadItem[]> {
  const controller = new AbortController();
  const late = sleep(READ_LIMITS.pdfTimeoutMs, [refusal("pdf_malformed", { detail: "reading it takes too long" })], {
    signal: controller.signal,
    ref: false,
  });
  try {
    return await Promise.race([read(file), late.catch(() => [])]);
  } catch (error) {
    const isLocked = error instanceof Error && error.name === "PasswordException";
    return [refusal(isLocked ? "pdf_encrypted" : "pdf_malformed")];
  } finally {
    controller.abort();
  }
}

async function read({ path, bytes }: FileBytes): Promise<readonly ReadItem[]> {
  // pdf.js takes the buffer away from its owner.
  const pdf = await getDocumentProxy(Uint8Array.from(bytes), { verbosity: 0 });
  try {
    if (pdf.numPages > READ_LIMITS.pdfPagesMax)
      return [refusal("pdf_too_many_pages", { detail: `${pdf.numPages} pages` })];
    const { text: pages } = await extractText(pdf, { mergePages: false });
    const text = pages
      .map((page) => page.trim())
      .filter((page) => page !== "")
      .join("\n\n");
    if (text === "") return [refusal("pdf_no_text")];
    if (text.length > READ_LIMITS.textCharactersMax) return [refusal("text_too_large")];
    const { info } = await getMeta(pdf);
    const title: unknown = info["Title"];
    const metadata = { page_count: pdf.numPages };
    return [
      {
        kind: "document",
        id: path,
        text,
        metadata,
        ...(typeof title === "string" && title.trim() !== "" ? { title: title.trim() } : {}),
      },
    ];
  } finally {
    await pdf.loadingTask.destroy();
  }
}
