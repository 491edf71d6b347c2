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

/** Words that the small tokenizer knows whole. */
const KNOWN_WORDS = "wing jet flow layer boundary token the in".split(" ");

/** A text of the document's own that is one chunk under either model of `TwoModels`. */
export function distinctLine(id: string): string {
  const digits = Array.from(sha256HexSync(id).slice(0, 14), (digit) => Number.parseInt(digit, 16) % KNOWN_WORDS.length);
  return `${digits.map((index) => KNOWN_WORDS[index]).join(" ")}.`;
}
