import type { ChunkingQuestion } from "./chunking-set.ts";
import { common, joined, type Range, sizeOf } from "./ranges.ts";

/** A retrieved piece of one corpus. */
export interface Piece extends Range {
  readonly corpus: string;
}

export interface OverlapScore {
  readonly recall: number;
  readonly iou: number;
  readonly precision: number;
}

/**
 * Overlap of the retrieved pieces with the reference excerpts, in characters (Smith and Troynikov, "Evaluating Chunking Strategies for
 * Retrieval", Chroma 2024, whose harness counts characters too): recall = |E ∩ R| / |E|, precision = |E ∩ R| / Σ|r|, IoU = |E ∩ R| /
 * (Σ|r| + |E \ R|). Pieces of another corpus and text retrieved twice count in Σ|r| only.
 */
export function overlapScore(question: ChunkingQuestion, retrieved: readonly Piece[]): OverlapScore {
  const excerpts = joined(question.references);
  const own = joined(retrieved.filter((piece) => piece.corpus === question.corpus));
  const hit = sizeOf(common(excerpts, own));
  const total = sizeOf(excerpts);
  const retrievedSize = sizeOf(retrieved);
  return { recall: hit / total, precision: hit / retrievedSize, iou: hit / (retrievedSize + total - hit) };
}

export function meanScore(scores: readonly OverlapScore[]): OverlapScore {
  const mean = (name: keyof OverlapScore): number =>
    scores.reduce((sum, score) => sum + score[name], 0) / scores.length;
  return { recall: mean("recall"), iou: mean("iou"), precision: mean("precision") };
}
