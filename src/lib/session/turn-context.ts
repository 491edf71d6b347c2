/** What was said before an event: by themselves "Yes, on Friday." and "He did." find nothing. */
import { LIMITS } from "../base/limits.ts";
import { withoutPayloads } from "../pii/placeholder.ts";
import type { Frame } from "../contract/session.ts";

/** Turns before an event that make its context. */
export const CONTEXT_TURNS = 2;
/** Characters of one of them: half of what a context may have, and its line end. */
const TURN_CHARACTERS_MAX = LIMITS.contextCharactersMax / CONTEXT_TURNS - 1;

/** One turn as a line of context, with its seq so that an erased one can be found. */
export interface Turn {
  readonly seq: number;
  readonly line: string;
}

/** The line of a turn: who said what. Of a long one its end, which is what the next one answers. */
export function turnOf({ seq, role, speaker, text }: Frame): Turn {
  const said = withoutPayloads(text).trim();
  const who = `${withoutPayloads(speaker ?? role)}: `;
  const room = TURN_CHARACTERS_MAX - who.length;
  if (said.length <= room) return { seq, line: who + said };
  const end = said.slice(-room);
  return { seq, line: who + end.slice(end.search(/\s|$/)).trim() };
}

/** Context of the event that follows these turns. */
export function contextOf(turns: readonly Turn[]): string {
  return turns.map(({ line }) => line).join("\n");
}

/** The last turns, which the next event has before it. */
export function lastTurns(turns: readonly Turn[]): readonly Turn[] {
  return turns.slice(-CONTEXT_TURNS);
}
