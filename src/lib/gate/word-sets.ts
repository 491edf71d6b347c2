import { HashCounter } from "./hash-counter.ts";

/** Adds one unit to the hash of a word. */
export function addToHash(hash: number, code: number): number {
  return (Math.imul(hash, 31) + code) | 0;
}

function hashesOf(words: string): HashCounter {
  const hashes = new HashCounter(512);
  hashes.reset(512);
  for (const word of words.split(" ")) {
    let hash = 0;
    for (let position = 0; position < word.length; position++) hash = addToHash(hash, word.charCodeAt(position));
    hashes.add(hash);
  }
  return hashes;
}

/**
 * Function words. First line: the eight of Gopher (Rae et al. 2021, table A1: a document needs two of them). Gopher is English only; the
 * other lines are the most frequent function words of German, Spanish, French, Italian, Portuguese and Dutch.
 */
const STOP_WORDS = hashesOf(
  "the be to of and that have with " +
    "a an in is it for on as was are this not or by at from but we you he she they i " +
    "der die das und ist nicht ein eine zu den von mit auf für dem im sich auch es ich " +
    "el la los las de que y en un una por con para no se lo del es su como " +
    "le les des et à du est pas que qui dans ce il une au pour sur je " +
    "il di che e non per una sono del si della con è lo gli " +
    "o os um uma do da não com em para mais ao " +
    "het een en van dat niet op te zijn voor met",
);

/** The filler text of typesetters. "et", "in", "ut" and other words that living languages share are left out. */
const LOREM = hashesOf(
  "lorem ipsum dolor amet consectetur adipiscing adipisicing elit eiusmod tempor incididunt labore dolore magna aliqua enim minim veniam " +
    "quis nostrud exercitation ullamco laboris nisi aliquip commodo consequat duis aute irure reprehenderit voluptate velit esse cillum " +
    "eu fugiat nulla pariatur excepteur sint occaecat cupidatat proident culpa officia deserunt mollit anim laborum",
);

export function isStopWord(hash: number): boolean {
  return STOP_WORDS.countOf(hash) > 0;
}

export function isLorem(hash: number): boolean {
  return LOREM.countOf(hash) > 0;
}
