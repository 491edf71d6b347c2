import { sha256HexSync } from "../../../src/lib/base/hash.ts";

const WORDS =
  "wing jet flow layer boundary token river engine tunnel bird cloud stone winter letter garden harbour".split(" ");

/** Sentences in words whose order is the document's own, so that none is a duplicate of another's, nor nearly one. */
export function distinctText(id: string, sentenceCount = 5): string {
  return Array.from({ length: sentenceCount }, (_, number) => sentence(`${id} ${number}`)).join(" ");
}

function sentence(name: string): string {
  const seed = sha256HexSync(name);
  const words = Array.from({ length: 14 }, (_, index) => WORDS[Number.parseInt(seed[index] ?? "0", 16)]);
  return `The boundary layer of the jet: ${words.join(" ")}.`;
}
