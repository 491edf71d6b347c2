/** Rankings in memory that the running system is held against: BM25 and cosines over whole conversations, with nothing else around them. */
import { bm25, inverseDocumentFrequency } from "../../src/lib/lexical/bm25.ts";
import { analyse, type Lexemes } from "../../src/lib/lexical/analyse.ts";
import { queryTermsOf } from "../../src/lib/lexical/query-terms.ts";
import type { Conversation, SetTurn } from "./conversation-set.ts";

/** Unit vectors of texts, in order. */
export type Embed = (texts: readonly string[]) => Promise<readonly (readonly number[])[]>;

export interface Opponent {
  readonly name: string;
  /** For each question the ids of the turns, best first. */
  rank(conversation: Conversation, embed: Embed): Promise<readonly (readonly string[])[]>;
}

type TextOf = (conversation: Conversation, index: number) => string;

/** Turns before a turn that are its context where an opponent has one. */
const CONTEXT_TURNS = 2;

const spoken = (turn: SetTurn): string => (turn.speaker === undefined ? turn.text : `${turn.speaker}: ${turn.text}`);

const withContext: TextOf = ({ turns }, index) =>
  turns
    .slice(Math.max(0, index - CONTEXT_TURNS), index + 1)
    .filter(({ session }) => session === turns[index]?.session)
    .map((turn) => spoken(turn))
    .join("\n");

const alone = ({ turns }: Conversation, index: number): string => {
  const turn = turns[index];
  return turn === undefined ? "" : spoken(turn);
};

type ScoresOf = (conversation: Conversation, embed: Embed) => Promise<readonly (readonly number[])[]>;

function words(textOf: TextOf): ScoresOf {
  return (conversation) => {
    const texts = conversation.turns.map((_, index) => analyse(textOf(conversation, index)));
    const averageLength = texts.reduce((sum, { lexemeCount }) => sum + lexemeCount, 0) / Math.max(1, texts.length);
    return Promise.resolve(conversation.questions.map(({ text }) => wordScores(text, texts, averageLength)));
  };
}

function wordScores(query: string, texts: readonly Lexemes[], averageLength: number): number[] {
  const terms = queryTermsOf(query).map((term) => {
    const frequency = texts.filter(({ counts }) => counts.has(term.dimension)).length;
    return { ...term, idf: inverseDocumentFrequency(texts.length, frequency) };
  });
  return texts.map(({ counts, lexemeCount }) =>
    bm25(
      terms.map((term) => ({ ...term, count: counts.get(term.dimension) ?? 0 })),
      lexemeCount,
      averageLength,
    ),
  );
}

function vectors(textOf: TextOf): ScoresOf {
  return async (conversation, embed) => {
    const stored = await embed(conversation.turns.map((_, index) => textOf(conversation, index)));
    const asked = await embed(conversation.questions.map(({ text }) => text));
    return asked.map((query) =>
      stored.map((vector) => vector.reduce((sum, x, index) => sum + x * (query[index] ?? 0), 0)),
    );
  };
}

function zScores(scores: readonly number[]): number[] {
  const mean = scores.reduce((sum, score) => sum + score, 0) / Math.max(1, scores.length);
  const deviation = Math.sqrt(scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / Math.max(1, scores.length));
  return scores.map((score) => (deviation === 0 ? 0 : (score - mean) / deviation));
}

function zSum(a: ScoresOf, b: ScoresOf): ScoresOf {
  return async (conversation, embed) => {
    const [left, right] = [await a(conversation, embed), await b(conversation, embed)];
    return left.map((scores, question) => {
      const other = zScores(right[question] ?? []);
      return zScores(scores).map((score, index) => score + (other[index] ?? 0));
    });
  };
}

function opponent(name: string, scoresOf: ScoresOf): Opponent {
  return {
    name,
    async rank(conversation, embed) {
      const scores = await scoresOf(conversation, embed);
      return scores.map((ofQuestion) =>
        conversation.turns
          .map(({ id }, index) => ({ id, score: ofQuestion[index] ?? 0, index }))
          .sort((x, y) => y.score - x.score || x.index - y.index)
          .map(({ id }) => id),
      );
    },
  };
}

export const OPPONENTS: readonly Opponent[] = [
  opponent("in memory: BM25", words(alone)),
  opponent("in memory: BM25, two turns before", words(withContext)),
  opponent("in memory: vectors", vectors(alone)),
  opponent("in memory: z-scores summed", zSum(words(alone), vectors(alone))),
  opponent("in memory: z-scores, two turns before", zSum(words(withContext), vectors(withContext))),
  opponent("in memory: z-scores, two turns before among the words alone", zSum(words(withContext), vectors(alone))),
];
