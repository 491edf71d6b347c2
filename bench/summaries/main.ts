// Whether the extractive summary of a session says what the reference says, and whether sessions are found by their summaries. No language model takes part.
//   node bench/summaries/main.ts PATH [--embedder URL] [--report FILE]
// PATH is a file in the format of LoCoMo with session_summaries. Every side has the same number of characters for each session.
import { sentencesOf } from "../../src/lib/chunk/sentences.ts";
import { CandidateSentences } from "../../src/lib/summarise/candidate-sentences.ts";
import { describeSegment } from "../../src/lib/summarise/describe-segment.ts";
import { spokenText, type SpokenSentence } from "../../src/lib/summarise/spoken-sentence.ts";
import { SEGMENT_SUMMARY, summariseSentences } from "../../src/lib/summarise/summarise-sentences.ts";
import {
  addedTerms,
  distinctiveTerms,
  NO_TERMS,
  TermCounter,
  type TermCounts,
} from "../../src/lib/summarise/term-counts.ts";
import { embedTexts } from "../chunking/retrieval.ts";
import type { BenchReport, Figure } from "../support/figure.ts";
import { runWithEmbedder } from "../support/with-embedder.ts";
import { centroidMmr } from "./centroid-mmr.ts";
import { dot } from "./dot.ts";
import { type Question, readTalks, type Talk } from "./locomo.ts";
import { rouge1Recall, rougeLRecall, rougeTokens } from "./rouge.ts";

interface Candidate {
  readonly sentence: SpokenSentence;
  readonly vector: Float32Array;
}

/** Chooses from a session's sentences within so many characters. */
type Method = (candidates: readonly Candidate[], charactersMax: number) => readonly Candidate[];

function taking(order: readonly Candidate[], charactersMax: number): readonly Candidate[] {
  let room = charactersMax;
  return order.filter(({ sentence }) => {
    if (sentence.text.length > room) return false;
    room -= sentence.text.length;
    return true;
  });
}

/** Small generator (Lehmer), the same on every run. */
function shuffled(candidates: readonly Candidate[], seed: number): readonly Candidate[] {
  let state = seed * 7919 + 17;
  return candidates
    .map((candidate) => {
      state = (state * 48_271) % 2_147_483_647;
      return { candidate, place: state };
    })
    .sort((a, b) => a.place - b.place)
    .map(({ candidate }) => candidate);
}

const RANDOM_ROUNDS = 5;
const inOrder = (chosen: readonly Candidate[]): readonly Candidate[] =>
  chosen.toSorted((a, b) => a.sentence.seq - b.sentence.seq);

const ours: Method = (candidates, charactersMax) => {
  const chosen = summariseSentences(candidates, { ...SEGMENT_SUMMARY, sentencesMax: 1_000, charactersMax });
  const taken = new Set(chosen.map(({ seq, text }) => `${seq} ${text}`));
  return candidates.filter(({ sentence }) => taken.has(`${sentence.seq} ${sentence.text}`));
};
const lead: Method = (candidates, charactersMax) => taking(candidates, charactersMax);
const centroid: Method = (candidates, charactersMax) => {
  const order = centroidMmr(candidates.map(({ vector }) => vector));
  return inOrder(
    taking(
      order.flatMap((index) => candidates[index] ?? []),
      charactersMax,
    ),
  );
};
const randomly =
  (round: number): Method =>
  (candidates, charactersMax) =>
    inOrder(taking(shuffled(candidates, round + 1), charactersMax));

const SIDES: readonly { readonly name: string; readonly rounds: readonly Method[] }[] = [
  { name: "facility location (ours)", rounds: [ours] },
  { name: "centroid and MMR", rounds: [centroid] },
  { name: "lead", rounds: [lead] },
  {
    name: `random, mean of ${RANDOM_ROUNDS}`,
    rounds: Array.from({ length: RANDOM_ROUNDS }, (_, round) => randomly(round)),
  },
];

interface Prepared {
  readonly talk: Talk;
  readonly candidates: readonly Candidate[];
  readonly references: readonly Float32Array[];
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

async function vectorsOf(endpoint: string, texts: readonly string[]): Promise<Float32Array[]> {
  return (await embedTexts(endpoint, texts)).map((vector) => Float32Array.from(vector));
}

async function prepare(endpoint: string, talk: Talk): Promise<Prepared> {
  const held = new CandidateSentences(talk.turns.length);
  for (const turn of talk.turns) held.add(turn);
  const sentences = held.all();
  const parts = sentencesOf(talk.reference, 0, talk.reference.length).map(({ start, end }) =>
    talk.reference.slice(start, end),
  );
  const vectors = await vectorsOf(endpoint, [...sentences.map(({ text }) => text), ...parts]);
  const candidates = sentences.flatMap((sentence, index) => {
    const vector = vectors[index];
    return vector === undefined ? [] : [{ sentence, vector }];
  });
  return { talk, candidates, references: vectors.slice(sentences.length) };
}

/** Mean figures of one method over all sessions; the reference's own length is what each summary may have. */
function coverageOf(prepared: readonly Prepared[], method: Method): Record<"rouge-1" | "rouge-L" | "cosine", number> {
  const rows = prepared.map(({ talk, candidates, references }) => {
    const chosen = method(candidates, talk.reference.length);
    const summary = rougeTokens(chosen.map(({ sentence }) => `${sentence.speaker}: ${sentence.text}`).join(" "));
    const reference = rougeTokens(talk.reference);
    const nearest = references.map((part) => Math.max(0, ...chosen.map(({ vector }) => dot(vector, part))));
    return [rouge1Recall(summary, reference), rougeLRecall(summary, reference), mean(nearest)] as const;
  });
  return {
    "rouge-1": mean(rows.map(([value]) => value)),
    "rouge-L": mean(rows.map(([, value]) => value)),
    cosine: mean(rows.map(([, , value]) => value)),
  };
}

const RANKS = [1, 3, 5];

interface Searched {
  readonly prepared: readonly Prepared[];
  readonly questions: readonly Question[];
  readonly questionVectors: readonly Float32Array[];
}

/** Characters of a piece: about what one chunk of the index holds. */
const PIECE_CHARACTERS_MAX = 900;

/** Lines together, as far as they fit into a piece. */
function piecesOf(text: string): readonly string[] {
  const pieces: string[] = [];
  for (const line of text.split("\n").filter((each) => each !== "")) {
    const last = pieces.at(-1);
    if (last !== undefined && last.length + line.length < PIECE_CHARACTERS_MAX)
      pieces[pieces.length - 1] = `${last}\n${line}`;
    else pieces.push(line);
  }
  return pieces;
}

/** Mean share of a question's evidence sessions among the first k sessions of its conversation, by the nearest piece of the text that stands for each. */
async function sessionRecall(
  endpoint: string,
  { prepared, questions, questionVectors }: Searched,
  textOf: (talk: Prepared) => string,
): Promise<ReadonlyMap<number, number>> {
  const pieces = prepared.flatMap((each, talk) => piecesOf(textOf(each)).map((text) => ({ text, talk })));
  const pieceVectors = await vectorsOf(
    endpoint,
    pieces.map(({ text }) => text),
  );
  const hits = questions.map((question, at) => {
    const best = new Map<number, number>();
    for (const [index, { talk }] of pieces.entries()) {
      const { conversation, session } = prepared[talk]?.talk ?? { conversation: "", session: 0 };
      if (conversation !== question.conversation) continue;
      const likeness = dot(questionVectors[at] ?? new Float32Array(0), pieceVectors[index] ?? new Float32Array(0));
      best.set(session, Math.max(best.get(session) ?? -1, likeness));
    }
    const ranked = [...best].sort((a, b) => b[1] - a[1]).map(([session]) => session);
    return RANKS.map(
      (k) => ranked.slice(0, k).filter((session) => question.sessions.has(session)).length / question.sessions.size,
    );
  });
  return new Map(RANKS.map((k, place) => [k, mean(hits.map((row) => row[place] ?? 0))]));
}

function figure(name: string, ownValue: number, other?: { readonly name: string; readonly value: number }): Figure {
  return {
    name,
    unit: "",
    ours: { name: "ours", samples: [ownValue] },
    ...(other === undefined ? {} : { opponent: { name: other.name, samples: [other.value] } }),
  };
}

/** Descriptions as they are made of each session in its turn, with the words of those before it. */
function descriptionsOf(prepared: readonly Prepared[]): ReadonlyMap<Prepared, string> {
  const known = new Map<string, TermCounts>();
  return new Map(
    prepared.map((each) => {
      const { talk, candidates } = each;
      const counter = new TermCounter();
      for (const turn of talk.turns) counter.add(turn.text);
      const before = known.get(talk.conversation) ?? NO_TERMS;
      known.set(talk.conversation, addedTerms(before, counter.read(), 500));
      const counts = new Map<string, number>();
      for (const { speaker } of talk.turns) counts.set(speaker, (counts.get(speaker) ?? 0) + 1);
      const outline = {
        eventCount: talk.turns.length,
        firstAtMs: talk.turns[0]?.atMs ?? 0,
        lastAtMs: talk.turns.at(-1)?.atMs ?? 0,
        speakers: [...counts].map(([name, count]) => ({ name, count })),
        otherCount: 0,
      };
      const terms = distinctiveTerms(counter.read(), before, { termsMax: 10, names: [...counts.keys()] });
      return [each, describeSegment(outline, terms, summariseSentences(candidates))];
    }),
  );
}

async function run(path: string, endpoint: string): Promise<BenchReport> {
  const { talks, questions } = await readTalks(path);
  const prepared: Prepared[] = [];
  for (const talk of talks) prepared.push(await prepare(endpoint, talk));
  const sides = SIDES.map(({ name, rounds }) => {
    const results = rounds.map((method) => coverageOf(prepared, method));
    const of = (measure: "rouge-1" | "rouge-L" | "cosine"): number => mean(results.map((result) => result[measure]));
    return { name, "rouge-1": of("rouge-1"), "rouge-L": of("rouge-L"), cosine: of("cosine") };
  });
  const [own, ...others] = sides;
  const figures = (["rouge-1", "rouge-L", "cosine"] as const).flatMap((measure) =>
    others.map((other) =>
      figure(`${measure} recall`, own?.[measure] ?? 0, { name: other.name, value: other[measure] }),
    ),
  );
  const asSummary =
    (method: Method) =>
    ({ talk, candidates }: Prepared): string =>
      spokenText(method(candidates, talk.reference.length).map(({ sentence }) => sentence));
  const descriptions = descriptionsOf(prepared);
  const questionTexts = questions.map(({ text }) => text);
  const data = { prepared, questions, questionVectors: await vectorsOf(endpoint, questionTexts) };
  const found = await sessionRecall(endpoint, data, asSummary(ours));
  const byLead = await sessionRecall(endpoint, data, asSummary(lead));
  const byCentroid = await sessionRecall(endpoint, data, asSummary(centroid));
  const byReference = await sessionRecall(endpoint, data, ({ talk }) =>
    talk.reference.replaceAll(/(?<=[.!?]) /g, "\n"),
  );
  const byDescription = await sessionRecall(endpoint, data, (each) =>
    (descriptions.get(each) ?? "").replaceAll("\n", " "),
  );
  for (const k of RANKS) {
    const value = found.get(k) ?? 0;
    figures.push(
      figure(`evidence session in first ${k}`, value, { name: "centroid and MMR", value: byCentroid.get(k) ?? 0 }),
    );
    figures.push(figure(`evidence session in first ${k}`, value, { name: "lead", value: byLead.get(k) ?? 0 }));
    figures.push(
      figure(`evidence session in first ${k}`, value, { name: "the set's references", value: byReference.get(k) ?? 0 }),
    );
    figures.push(figure(`by description, first ${k}`, byDescription.get(k) ?? 0));
  }
  return {
    bench: "summaries",
    figures,
    skipped: [],
    details: [
      `${talks.length} sessions, ${questions.length} questions with evidence; each summary as long as its reference (${mean(talks.map(({ reference }) => reference.length)).toFixed(0)} characters on average)`,
      "cosine: mean over the sentences of the reference of the cosine to the nearest chosen sentence",
    ],
  };
}

await runWithEmbedder("which set? node bench/summaries/main.ts PATH", run);
