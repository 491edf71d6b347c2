import { readBenchTexts } from "../../../bench/support/read-texts.ts";
import { sentencesOf } from "../../../bench/sessions/sentences.ts";
import { SeededRandom } from "../../support/seeded-random.ts";

/** Real sentences, each given once and with a word of its own, so that no text is a duplicate of another and each can be found. */
export interface TextSource {
  next(): string;
}

const DOCUMENTS_MAX = 233;
const SENTENCES_EACH = 2;
/** Nothing that curation would redact: a text has to come back as it was sent. */
const IS_PLAIN = /^[A-Za-z ,.;'-]+$/;
const LETTERS = "bcdfghjklmnprstvwz";
const WORD_LETTERS = 5;

export async function openTexts(seed: number): Promise<TextSource> {
  const random = new SeededRandom(seed);
  const plain = sentencesOf(await readBenchTexts(undefined, DOCUMENTS_MAX)).filter((text) => IS_PLAIN.test(text));
  const sentences = random.shuffled(plain);
  let given = 0;
  return {
    next: () => {
      const own = Array.from({ length: SENTENCES_EACH }, () => sentences.pop() ?? "");
      if (own.includes("")) throw new Error("there are no sentences left for so long a campaign");
      given += 1;
      return `${own.join(" ")} The clerk filed it under the word qu${wordOf(given)}.`;
    },
  };
}

function wordOf(number: number): string {
  let word = "";
  for (let rest = number, place = 0; place < WORD_LETTERS; place += 1, rest = Math.floor(rest / LETTERS.length))
    word = `${LETTERS.charAt(rest % LETTERS.length)}o${word}`;
  return word;
}
