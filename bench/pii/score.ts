import type { LabelledSpan, LabelledText } from "./labelled-texts.ts";

export interface Counts {
  readonly gold: number;
  readonly predicted: number;
  /** Pairs whose start and end are equal. */
  readonly exact: number;
  /** Pairs that share at least half of their union. */
  readonly relaxed: number;
}

export interface Score {
  readonly byType: ReadonlyMap<string, Counts>;
  /** Predictions on texts without any gold span. */
  readonly falseHitsOnCleanTexts: readonly { readonly text: string; readonly span: LabelledSpan }[];
  readonly cleanTexts: number;
  /** Share of gold characters that no prediction covers, whatever its type. */
  readonly leakRate: number;
}

/** Overlap over union that makes a relaxed match. */
const RELAXED_OVERLAP_MIN = 0.5;

function overlapRatio(a: LabelledSpan, b: LabelledSpan): number {
  const shared = Math.min(a.end, b.end) - Math.max(a.start, b.start);
  return shared <= 0 ? 0 : shared / (Math.max(a.end, b.end) - Math.min(a.start, b.start));
}

/** Matches of one type in one text; each gold and each predicted span is used once, best overlap first. */
function matchesOf(gold: readonly LabelledSpan[], predicted: readonly LabelledSpan[], ratioMin: number): number {
  const pairs = gold.flatMap((g) =>
    predicted.map((p) => ({ g, p, ratio: overlapRatio(g, p) })).filter(({ ratio }) => ratio >= ratioMin),
  );
  const used = new Set<LabelledSpan>();
  let matched = 0;
  for (const { g, p } of pairs.sort((a, b) => b.ratio - a.ratio)) {
    if (used.has(g) || used.has(p)) continue;
    used.add(g).add(p);
    matched += 1;
  }
  return matched;
}

function addCounts(a: Counts, b: Counts): Counts {
  return {
    gold: a.gold + b.gold,
    predicted: a.predicted + b.predicted,
    exact: a.exact + b.exact,
    relaxed: a.relaxed + b.relaxed,
  };
}

const NO_COUNTS: Counts = { gold: 0, predicted: 0, exact: 0, relaxed: 0 };

/** Sum over types. */
export function totalOf(counts: Iterable<Counts>): Counts {
  return [...counts].reduce(addCounts, NO_COUNTS);
}

function leakedCharacters(gold: readonly LabelledSpan[], predicted: readonly LabelledSpan[]): number {
  let leaked = 0;
  for (const { start, end } of gold) {
    for (let at = start; at < end; at++) if (!predicted.some((p) => p.start <= at && at < p.end)) leaked += 1;
  }
  return leaked;
}

/** Judges predictions, one list per text, against the labels. Pure. */
export function scoreOf(texts: readonly LabelledText[], predictions: readonly (readonly LabelledSpan[])[]): Score {
  const byType = new Map<string, Counts>();
  const falseHits: { text: string; span: LabelledSpan }[] = [];
  let [goldCharacters, leaked, cleanTexts] = [0, 0, 0];
  for (const [index, { text, spans }] of texts.entries()) {
    const predicted = predictions[index] ?? [];
    for (const type of new Set([...spans, ...predicted].map((span) => span.type))) {
      const gold = spans.filter((span) => span.type === type);
      const ours = predicted.filter((span) => span.type === type);
      const exact = matchesOf(gold, ours, 1);
      const relaxed = matchesOf(gold, ours, RELAXED_OVERLAP_MIN);
      const counts = { gold: gold.length, predicted: ours.length, exact, relaxed };
      byType.set(type, addCounts(byType.get(type) ?? NO_COUNTS, counts));
    }
    goldCharacters += spans.reduce((sum, span) => sum + span.end - span.start, 0);
    leaked += leakedCharacters(spans, predicted);
    if (spans.length > 0) continue;
    cleanTexts += 1;
    for (const span of predicted) falseHits.push({ text, span });
  }
  return { byType, falseHitsOnCleanTexts: falseHits, cleanTexts, leakRate: leaked / Math.max(1, goldCharacters) };
}

/** Precision, recall and F2 = 5PR / (4P + R); 0 where undefined. */
export function figuresOf({ gold, predicted }: Counts, matched: number): { p: number; r: number; f2: number } {
  const p = predicted === 0 ? 0 : matched / predicted;
  const r = gold === 0 ? 0 : matched / gold;
  return { p, r, f2: p + r === 0 ? 0 : (5 * p * r) / (4 * p + r) };
}
