// Words of passages that are put around texts and say nothing of their own: mail headers and footers, notices, page furniture.
const BOILERPLATE = new RegExp(
  [
    // Headers of replies and forwarded mail.
    String.raw`\b(?:wrote|writes|schrieb|escribió|a écrit)\s?:?\s?$`,
    String.raw`^\W*(?:on|am|le|el)\b[^\n]{0,40}\d{4}\b[^\n]{0,30}\b\d{1,2}:\d{2}\b`,
    String.raw`^\W*(?:from|sent|to|cc|bcc|subject|date|reply-to|von|gesendet|an|betreff|datum|de|para|asunto|fecha|envoyé|objet|à)\s?:`,
    String.raw`\b(?:original|forwarded) message\b|\bbegin forwarded\b`,
    // Greetings, thanks and signatures that fill a line.
    String.raw`^\W*(?:hi|hello|dear|hallo|liebe[r]?|hola|bonjour)\b[^.!?]{0,40}[,!:]?\W*$`,
    String.raw`^\W*(?:thanks|thank you|many thanks|cheers|sincerely|best|kind regards|regards|yours|fyi|\+1|see below|please see below|danke|gracias|merci)\b[^.!?]{0,40}[.!?,:]*\W*$`,
    String.raw`\bsent (?:from|via) my\b|\bget outlook for\b|\bregards,?\W*$`,
    // Notices of senders.
    String.raw`confidential|\bintended (?:only|solely|recipient|for the)\b|disclaimer|\breceived this (?:e-?mail|message)\b|\bvirus`,
    String.raw`\bdo not reply\b|\bautomatically generated\b|\bautomated message\b|\bthis (?:e-?mail|message)\b|\bexternal e-?mail\b|\battachments?\b`,
    String.raw`\bbefore printing\b|unsubscribe|\bsubscribe\b|subscription|newsletter|mailing list`,
    // Rights and terms.
    String.raw`copyright|©|\(c\) ?\d{4}|\brights reserved\b|rechte vorbehalten|\bterms (?:of|and)\b|\bprivacy\b|\bcookies?\b|trademark|\blicen[sc]ed under\b|\bwritten permission\b|\breproduced\b`,
    // Furniture of pages.
    String.raw`https?:|www\.|\bpage \d+\b|\bprinted (?:on|from|at)\b|\bretrieved (?:on|from)\b|\bdownloaded (?:on|from|at)\b|\blast (?:updated|modified|reviewed)\b|\bposted (?:on|by|in)\b|\bfiled under\b`,
    String.raw`\bclick here\b|\bread (?:more|also|on)\b|\bfollow us\b|\bshare (?:this|on)\b|\bview (?:this|in|online)\b|\bvisit (?:our|us)\b|advertisement|\bsponsored\b|\bskip to\b|\b(?:log|sign) (?:in|up)\b|\bback to top\b|\btable of contents\b|\bleave a comment\b|\ball comments\b`,
    String.raw`\bcontact us\b|\bcustomer (?:service|support)\b|\bfor (?:more|further) information\b|\binternal use\b|\bpersonal use\b`,
    // Rows of links: Home | About | Contact.
    String.raw`(?:\p{L}[\p{L} ]{0,24} ?[|·•»›/] ?){2,}`,
  ].join("|"),
  "iu",
);
const PIECE_END = /\n+|(?<=[.!?])\s+/gu;
/** Characters of a passage looked at: boilerplate is short, and what is longer counts as content. */
const BOILERPLATE_CHARACTERS_MAX = 4_000;

/** Ranges of `text[start, end)`, cut at sentence and line ends, that are boilerplate by their words. Offsets UTF-16, end exclusive. */
export function boilerplateRanges(text: string, start: number, end: number): { start: number; end: number }[] {
  const ranges: { start: number; end: number }[] = [];
  const passage = text.slice(start, Math.min(end, start + BOILERPLATE_CHARACTERS_MAX));
  let from = 0;
  const close = (to: number): void => {
    if (BOILERPLATE.test(passage.slice(from, to))) ranges.push({ start: start + from, end: start + to });
  };
  for (const match of passage.matchAll(PIECE_END)) {
    close(match.index);
    from = match.index + match[0].length;
  }
  close(passage.length);
  return ranges;
}
