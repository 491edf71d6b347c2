// Words of passages that are put around texts and say nothing of their own: mail headers and footers, notices, page furniture.
const BOILERPLATE = new RegExp(
  [
    "\\b(?:wrote|writes|schrieb|escribió|a écrit)\\s*:?\\s*$",
    "^\\W*(?:from|sent|to|cc|bcc|subject|date|von|gesendet|an|betreff|de|para|asunto|envoyé|objet)\\s*:",
    "\\b(?:original|forwarded) message\\b|\\bsent from my\\b|\\bget outlook for\\b|^\\W*(?:best|kind|warm)?\\s*regards\\b",
    "^\\W*(?:hi|hello|dear|thanks|thank you|cheers|sincerely|best|fyi|see below|please see)\\b[^.!?]{0,60}[.!?,:]*$",
    "copyright|©|\\(c\\)|all rights reserved|alle rechte vorbehalten|terms (?:of|and)\\b|privacy policy|cookies?\\b|trademark",
    "confidential|intended (?:only |solely )?(?:for|recipient)|disclaimer|received this (?:e-?mail|message)|virus",
    "unsubscribe|subscri(?:be|ption)|newsletter|mailing list|do not reply|automatically generated|this (?:e-?mail|message)",
    "click here|read more|follow us|share (?:this|on)|view (?:this|in|online)|download(?:ed)?\\b|visit (?:our|us)|advertisement|sponsored",
    "https?:|www\\.|\\bpage \\d+\\b|\\bpage \\d* ?of\\b|printed (?:on|from|at)|retrieved (?:on|from)|published by|last (?:updated|modified)",
    "licen[sc]ed? under|permission|reproduc(?:e|tion)|contact (?:us|our)|customer (?:service|support)|for (?:more|further) information",
    "for internal use|internal use only|\\bdraft\\b|archive[sd]?\\b|\\bunclassified\\b|distribution",
  ].join("|"),
  "iu",
);
const PIECE = /[^.!?\n]+[.!?]*(?:\s+|$)|[.!?\n]+/gu;
/** Characters of a passage looked at: boilerplate is short, and what is longer counts as content. */
const BOILERPLATE_CHARACTERS_MAX = 4_000;

/** Ranges of `text[start, end)`, cut at sentence and line ends, that are boilerplate by their words. Offsets UTF-16, end exclusive. */
export function boilerplateRanges(text: string, start: number, end: number): { start: number; end: number }[] {
  const ranges: { start: number; end: number }[] = [];
  const passage = text.slice(start, Math.min(end, start + BOILERPLATE_CHARACTERS_MAX));
  for (const match of passage.matchAll(PIECE)) {
    if (!BOILERPLATE.test(match[0])) continue;
    ranges.push({ start: start + match.index, end: start + match.index + match[0].length });
  }
  return ranges;
}
