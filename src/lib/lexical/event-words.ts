/** Changes whenever the same event may be found by other words: stored ones must then be made anew. */
export const EVENT_WORDS_VERSION = "1";

/** Characters of a turn and its context together that are indexed: a long turn says by itself what it is about. */
const EVENT_WORDS_MAX = 600;
/** Characters of one earlier turn: its beginning, where people come to the point. */
const CONTEXT_LINE_MAX = 360;
/** "Ann: " before a line of context: her words count as context, her name as that of the speaker only where she speaks. */
const SPEAKER_PREFIX = /^[^:\n]{1,60}: /;

export interface EventWords {
  /** What was said, with its speaker. */
  readonly said: string;
  /** What was said before it, "Speaker: text" lines, newest last. */
  readonly context: string;
  readonly occurredAtMs: number | null;
}

/**
 * The text whose words an event is found by. Its own words stand twice, those of the turns before it once, as fields are weighed in BM25F
 * (Robertson, Zaragoza and Taylor 2004), since "Yes, in Lisbon!" answers a question that it does not repeat; and its date in words, since people ask
 * by it. Bounded: what was said is never cut, its context fills what is left of 600 characters, newest line first. Pure.
 */
export function eventWords({ said, context, occurredAtMs }: EventWords): string {
  const parts = [said, said];
  let left = EVENT_WORDS_MAX - said.length;
  for (const line of context.split("\n").toReversed()) {
    const words = cutAtBlank(line.replace(SPEAKER_PREFIX, ""), Math.min(left, CONTEXT_LINE_MAX));
    if (words === "") continue;
    parts.push(words);
    left -= words.length;
  }
  if (occurredAtMs !== null) parts.push(dateInWords(occurredAtMs));
  return parts.join("\n");
}

function cutAtBlank(text: string, lengthMax: number): string {
  if (lengthMax <= 0) return "";
  if (text.length <= lengthMax) return text;
  const end = text.lastIndexOf(" ", lengthMax);
  return text.slice(0, Math.max(0, end));
}

/** "8 May 2023", UTC. */
function dateInWords(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime())
    ? ""
    : date.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
}
