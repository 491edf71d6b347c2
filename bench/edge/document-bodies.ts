import type { BenchText } from "../support/read-texts.ts";

/**
 * JSON bodies of documents that are pieces of the texts, `documentBytes` of text each, cut from the texts one after another and from
 * the beginning again when they are used up. Ids are unique within a body. Pure.
 */
export function documentBodies(
  texts: readonly BenchText[],
  sizes: { readonly bodyCount: number; readonly documentsPerBody: number; readonly documentBytes: number },
): readonly Buffer[] {
  const all = Buffer.from(texts.map(({ text }) => text).join("\n\n"));
  let at = 0;
  const piece = (): string => {
    if (at + sizes.documentBytes > all.length) at = 0;
    const bytes = all.subarray(at, at + sizes.documentBytes);
    at += sizes.documentBytes;
    // A character cut in two at an end becomes U+FFFD, which the gate would count against the text.
    return bytes.toString("utf8").replaceAll("\uFFFD", "");
  };
  return Array.from({ length: sizes.bodyCount }, () =>
    Buffer.from(
      JSON.stringify({
        documents: Array.from({ length: sizes.documentsPerBody }, (_, index) => ({
          id: `piece-${index}`,
          text: piece(),
        })),
      }),
    ),
  );
}
