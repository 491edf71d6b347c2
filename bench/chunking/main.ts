// Quality of chunks for retrieval: what of the reference excerpts do the nearest chunks hold, and how much else.
//   node bench/chunking/main.ts FOLDER [--embedder URL] [--report FILE]
// FOLDER holds corpora/NAME.md and questions.jsonl {corpus, question, references: [{start, end}]}. Our chunks are those of `jeeves inspect`.
// Both sides use the same embedding server.
import { chunkOptionsFor } from "../../src/lib/chunk/chunk.ts";
import type { TokenCounter } from "../../src/lib/model/token-counter.ts";
import type { BenchReport, Figure } from "../support/figure.ts";
import { runWithEmbedder } from "../support/with-embedder.ts";
import { type ChunkingSet, readChunkingSet } from "./chunking-set.ts";
import { langchainSplitter, type Splitter } from "./langchain-splitter.ts";
import { type OwnChunk, ownChunks } from "./own-chunks.ts";
import { embedTexts, type IndexedPiece, modelOf, nearest } from "./retrieval.ts";
import { meanScore, overlapScore, type OverlapScore } from "./score.ts";

/** Tokens of the opponent's chunks, by the model's tokenizer. */
const OPPONENT_TOKENS = 400;
const RETRIEVED = [3, 5, 10];
const RECALL_TARGET = 1.02;
const IOU_TARGET = 1.15;

type Chunker = (corpus: string, text: string) => Promise<IndexedPiece[]>;

function ownChunker(chunks: ReadonlyMap<string, readonly OwnChunk[]>, withContext: boolean): Chunker {
  return async (corpus, text) =>
    (chunks.get(corpus) ?? []).map(({ start, end, context }) => {
      const slice = text.slice(start, end);
      return { corpus, start, end, indexedText: withContext && context !== "" ? `${context}\n${slice}` : slice };
    });
}

function opponentChunker(splitter: Splitter): Chunker {
  return async (corpus, text) => {
    let from = 0;
    return (await splitter.splitText(text)).map((indexedText) => {
      const start = text.indexOf(indexedText, from);
      if (start < 0) throw new Error("a chunk of the opponent is not in the text");
      from = start + 1;
      return { corpus, start, end: start + indexedText.length, indexedText };
    });
  };
}

interface Side {
  readonly name: string;
  readonly pieceCount: number;
  readonly meanTokens: number;
  /** Mean scores by number of retrieved pieces; all corpora searched together. */
  readonly scores: ReadonlyMap<number, OverlapScore>;
}

async function measure(
  name: string,
  chunker: Chunker,
  { set, endpoint, counter, questionVectors }: Measured,
): Promise<Side> {
  const pieces = (await Promise.all([...set.corpora].map(([corpus, text]) => chunker(corpus, text)))).flat();
  const vectors = await embedTexts(
    endpoint,
    pieces.map((piece) => piece.indexedText),
  );
  const tokens = pieces.map((piece) =>
    counter.count((set.corpora.get(piece.corpus) ?? "").slice(piece.start, piece.end)),
  );
  const scores = RETRIEVED.map((count): [number, OverlapScore] => [
    count,
    meanScore(
      set.questions.map((question, index) =>
        overlapScore(question, nearest(questionVectors[index] ?? [], pieces, vectors, count)),
      ),
    ),
  ]);
  const meanTokens = tokens.reduce((sum, count) => sum + count, 0) / pieces.length;
  return { name, pieceCount: pieces.length, meanTokens, scores: new Map(scores) };
}

interface Measured {
  readonly set: ChunkingSet;
  readonly endpoint: string;
  readonly counter: TokenCounter;
  readonly questionVectors: readonly (readonly number[])[];
}

function figuresOf(sides: readonly Side[], opponent: Side | undefined): Figure[] {
  return RETRIEVED.flatMap((count) =>
    (["recall", "iou"] as const).flatMap((name) =>
      sides.map((side): Figure => {
        const target = name === "recall" ? RECALL_TARGET : IOU_TARGET;
        const valueOf = (of: Side): number => of.scores.get(count)?.[name] ?? Number.NaN;
        return {
          name: `${name}@${count}, ${side.name}`,
          unit: "",
          ours: { name: "ours", samples: [valueOf(side)] },
          ...(opponent === undefined ? {} : { opponent: { name: opponent.name, samples: [valueOf(opponent)] } }),
          ...(opponent === undefined || count !== 5 ? {} : { target }),
        };
      }),
    ),
  );
}

async function run(folder: string, endpoint: string): Promise<BenchReport> {
  const set = await readChunkingSet(folder);
  const { info, counter } = await modelOf(endpoint);
  const questionVectors = await embedTexts(
    endpoint,
    set.questions.map(({ question }) => question),
  );
  const measured = { set, endpoint, counter, questionVectors };
  const chunks = await ownChunks(set.corpora);
  const sides = [
    await measure("with headings", ownChunker(chunks, true), measured),
    await measure("text alone", ownChunker(chunks, false), measured),
  ];
  const splitter = await langchainSplitter({ tokensMax: OPPONENT_TOKENS, count: (text) => counter.count(text) });
  const opponent = splitter.ok ? await measure("LangChain", opponentChunker(splitter.value), measured) : undefined;
  const { maxTokens, overlapTokens } = chunkOptionsFor(info.maxInputTokens);
  return {
    bench: "chunking",
    figures: figuresOf(sides, opponent),
    skipped: splitter.ok ? [] : [splitter.error],
    details: [
      `${set.questions.length} questions over ${set.corpora.size} corpora searched together; lengths in characters; ${info.modelName}`,
      `ours: at most ${maxTokens} tokens, overlap ${overlapTokens}; the opponent: RecursiveCharacterTextSplitter, ${OPPONENT_TOKENS} tokens, overlap 0`,
      ...[...sides, ...(opponent === undefined ? [] : [opponent])].map(
        (side) => `${side.name}: ${side.pieceCount} chunks of ${side.meanTokens.toFixed(0)} tokens on average`,
      ),
    ],
  };
}

await runWithEmbedder("which set? node bench/chunking/main.ts FOLDER", run);
