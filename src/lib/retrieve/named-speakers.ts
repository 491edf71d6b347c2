import { containsPhrase, foldText } from "./exact-match.ts";

/** Characters of a name: shorter ones are initials, which stand for anything. */
const NAME_LENGTH_MIN = 2;

/** Speakers whom the query names, by their whole name or by its first word. Pure. */
export function namedSpeakers(query: string, speakers: Iterable<string>): Set<string> {
  const named = new Set<string>();
  for (const speaker of speakers) {
    const name = foldText(speaker).trim();
    const [firstName = ""] = name.split(" ");
    if ([name, firstName].some((part) => part.length >= NAME_LENGTH_MIN && containsPhrase(query, part)))
      named.add(speaker);
  }
  return named;
}
