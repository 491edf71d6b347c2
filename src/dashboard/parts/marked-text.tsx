import type { ComponentChildren } from "preact";
import { markWords } from "../service/mark-words.ts";

/** A text in which the words of a query are marked. Always text, never markup. */
export function MarkedText({ text, query }: { readonly text: string; readonly query: string }) {
  const parts: ComponentChildren[] = markWords(text, query).map(({ text: part, isMarked }) =>
    isMarked ? <mark>{part}</mark> : part,
  );
  return <p class="passage">{parts}</p>;
}
