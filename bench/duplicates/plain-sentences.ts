/** Sentences with the blanks after them, so that they join to the text again. A plain rule, not the product's. */
export function plainSentences(text: string): string[] {
  return text.match(/[^.!?]+(?:[.!?](?!\s)[^.!?]*)*[.!?]*\s*/gu) ?? [text];
}
