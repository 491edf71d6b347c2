/**
 * Phrases of the notices that web pages put round their content. C4 drops the lines with "javascript" and pages with policy notices
 * (Raffel et al. 2020, section 2.2); the other phrases are of the same kind. English, as C4 is.
 */
const NOTICE =
  /\b(?:enable javascript|javascript (?:is|must be|has been|needs to be) (?:disabled|enabled|turned)|us(?:es?|ing|e of) cookies|accept (?:all )?cookies|cookie (?:policy|settings|preferences)|privacy policy|terms of (?:use|service)|all rights reserved|skip to (?:main )?content)\b/gi;

/** Notices that are looked for in one text: 1,000 lines of them are as telling as all. */
const NOTICES_MAX = 1_000;

/** Lines that hold a notice of a web page about cookies, scripts, policies or rights. O(length). */
export function countNoticeLines(text: string): number {
  let lines = 0;
  NOTICE.lastIndex = 0;
  for (let found = 0; found < NOTICES_MAX; found++) {
    if (NOTICE.exec(text) === null) break;
    lines++;
    const lineEnd = text.indexOf("\n", NOTICE.lastIndex);
    if (lineEnd < 0) break;
    NOTICE.lastIndex = lineEnd + 1;
  }
  return lines;
}
