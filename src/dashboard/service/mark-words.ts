export interface TextPart {
  readonly text: string;
  readonly isMarked: boolean;
}

const WORD = /[\p{L}\p{N}]+/gu;
/** Words that say nothing by themselves. */
const COMMON = new Set(
  "a an and are as at be by did do does for from has have how in is it of on or that the this to was were what when where which who why will with".split(
    " ",
  ),
);
/** Letters of a word that may differ at its end: walk, walked, walking. */
const ENDING_MAX = 3;
const STEM_MIN = 3;

/** The text cut where a word begins or ends that the query has too, in whatever form. Joined together the parts are the text. Pure. */
export function markWords(text: string, query: string): readonly TextPart[] {
  const wanted = [...query.toLowerCase().matchAll(WORD)].map(([word]) => word).filter((word) => !COMMON.has(word));
  const parts: TextPart[] = [];
  let end = 0;
  for (const found of text.matchAll(WORD)) {
    const [word] = found;
    if (!wanted.some((each) => isSameWord(each, word.toLowerCase()))) continue;
    if (found.index > end) parts.push({ text: text.slice(end, found.index), isMarked: false });
    parts.push({ text: word, isMarked: true });
    end = found.index + word.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end), isMarked: false });
  return parts;
}

function isSameWord(a: string, b: string): boolean {
  if (a === b) return true;
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  const stem = short.slice(0, Math.max(STEM_MIN, short.length - 1));
  return short.length > STEM_MIN && long.startsWith(stem) && long.length - stem.length <= ENDING_MAX;
}
