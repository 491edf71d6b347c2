import { dayOf, speakerName, type Spoken, spokenText } from "./spoken-sentence.ts";

/** What is known of a segment beside its sentences. */
export interface SegmentOutline {
  readonly eventCount: number;
  /** Times of its earliest and latest event. */
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  /** Messages by speaker, the most first. */
  readonly speakers: readonly { readonly name: string; readonly count: number }[];
  /** Messages of those who are not named. */
  readonly otherCount: number;
}

/** Speakers that are named. */
const NAMES_MAX = 6;
const CENTRAL_SENTENCES = 2;

function clockTime(atMs: number): string {
  return new Date(atMs).toISOString().slice(11, 16);
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}`;
}

function messages(count: number): string {
  return count === 1 ? "1 message" : `${count} messages`;
}

function span({ firstAtMs, lastAtMs }: SegmentOutline): string {
  const [from, to] = [dayOf(firstAtMs), dayOf(lastAtMs)];
  if (from !== to) return `from ${from}, ${clockTime(firstAtMs)}, to ${to}, ${clockTime(lastAtMs)} UTC`;
  const [start, end] = [clockTime(firstAtMs), clockTime(lastAtMs)];
  return start === end ? `on ${from} at ${start} UTC` : `on ${from} from ${start} to ${end} UTC`;
}

/** Who and when in one line: "Caroline and Melanie, 8 May 2023". A title of the segment and of its summary. */
export function segmentTitle(outline: SegmentOutline): string {
  const who = listed(outline.speakers.slice(0, NAMES_MAX).map(({ name }) => speakerName(name)));
  const [from, to] = [dayOf(outline.firstAtMs), dayOf(outline.lastAtMs)];
  return `${who === "" ? "" : `${who}, `}${from === to ? from : `${from} to ${to}`}`;
}

/**
 * Who spoke when, how much, and what about: in words that a search for "the talk with X about Y in May" finds. The central sentences are those that stand for
 * most. Pure.
 */
export function describeSegment(
  outline: SegmentOutline,
  terms: readonly string[],
  sentences: readonly (Spoken & { readonly weight: number })[],
): string {
  const named = outline.speakers.slice(0, NAMES_MAX);
  const others = named.length < outline.speakers.length || outline.otherCount > 0 ? ["others"] : [];
  const who = listed([...named.map(({ name, count }) => `${speakerName(name)} (${messages(count)})`), ...others]);
  const central = sentences
    .map((sentence, index) => ({ sentence, index }))
    .sort((a, b) => b.sentence.weight - a.sentence.weight || a.index - b.index)
    .slice(0, CENTRAL_SENTENCES)
    .sort((a, b) => a.index - b.index)
    .map(({ sentence }) => sentence);
  return [
    `Conversation ${named.length > 1 ? "between" : "of"} ${who} ${span(outline)}: ${messages(outline.eventCount)}.`,
    ...(terms.length === 0 ? [] : [`It is about ${terms.join(", ")}.`]),
    ...(central.length === 0 ? [] : [spokenText(central)]),
  ].join("\n");
}
