import type { Block } from "./blocks.ts";

/** A text is a talk from this many turns on, if they are at least this share of its blocks: "Note: …" alone makes no talk. */
const TURNS_MIN = 3;
const TURNS_SHARE_MIN = 0.25;
/** UTF-16 units of a line that its speaker stands in. */
const LABEL_LENGTH_MAX = 80;
// "Ann:", "**User:**", "[12:03] Dr. Weiss:", "THE CHAIR:": a time or a note, one to four names, a colon, a blank.
const TURN =
  /^(?:\[[^\]\n]{1,40}\]\s*|\d{1,2}:\d{2}(?::\d{2})?\s*)?\*{0,2}(\p{Lu}[\p{L}\p{N}.'’-]{0,30}(?: [\p{L}\p{N}.'’-]{1,30}){0,3})\*{0,2}:\*{0,2}\s/u;

function speakerOf(text: string, block: Block): string | undefined {
  if (block.kind !== "prose") return undefined;
  return TURN.exec(text.slice(block.start, Math.min(block.end, block.start + LABEL_LENGTH_MAX)))?.[1];
}

/** Who begins to speak with each block; undefined where nobody does, and everywhere in a text that is no talk. */
export function speakersOf(text: string, blocks: readonly Block[]): readonly (string | undefined)[] {
  const speakers = blocks.map((block) => speakerOf(text, block));
  const turns = speakers.filter((speaker) => speaker !== undefined);
  // In a talk somebody speaks twice; the labels of a form or of a mail's head stand once each.
  const isTalk =
    turns.length >= TURNS_MIN && turns.length >= TURNS_SHARE_MIN * blocks.length && new Set(turns).size < turns.length;
  return isTalk ? speakers : blocks.map(() => undefined);
}
