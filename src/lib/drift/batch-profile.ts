import { z } from "zod";
import type { Distribution } from "./divergence.ts";

/** What a batch is compared by. */
export const DRIFT_DIMENSIONS = ["source", "tier", "language", "length", "acceptance"] as const;
export type DriftDimension = (typeof DRIFT_DIMENSIONS)[number];

const distributionSchema = z.record(z.string(), z.int().min(0));

/** Distributions of one batch's inputs; `language` is of those whose language could be told. Kept in `batch_profiles`. */
export const batchProfileSchema = z.object({
  source: distributionSchema,
  tier: distributionSchema,
  language: distributionSchema,
  length: distributionSchema,
  acceptance: distributionSchema,
});
export type BatchProfile = z.infer<typeof batchProfileSchema>;

/** Sources that are told apart; all further ones are one category, so that a source a document does not make every batch drift. */
const SOURCES_MAX = 50;
const OTHER_SOURCES = "other sources";

/** Inputs of a batch that are alike in all dimensions, with how many there are. */
export interface InputGroup {
  readonly source: string;
  readonly tier: string;
  readonly language: string;
  /** Floor of the base-2 logarithm of the text's length in UTF-16 units, -1 for no text. */
  readonly lengthClass: number;
  readonly outcome: string;
  readonly inputCount: number;
}

/** The profile of a batch from its grouped inputs. Pure; the order of the groups does not matter. */
export function profileOf(groups: readonly InputGroup[]): BatchProfile {
  return {
    source: topOf(countBy(groups, (group) => group.source)),
    tier: countBy(groups, (group) => group.tier),
    language: countBy(groups, (group) => group.language),
    length: countBy(groups, (group) => lengthName(group.lengthClass)),
    acceptance: countBy(groups, (group) => acceptanceOf(group.outcome)),
  };
}

/** The sum of profiles. */
export function sumProfiles(profiles: readonly BatchProfile[]): BatchProfile {
  const sum = (dimension: DriftDimension): Distribution => {
    const total: Record<string, number> = {};
    for (const profile of profiles)
      for (const [category, count] of Object.entries(profile[dimension]))
        total[category] = (total[category] ?? 0) + count;
    return sorted(total);
  };
  return {
    source: sum("source"),
    tier: sum("tier"),
    language: sum("language"),
    length: sum("length"),
    acceptance: sum("acceptance"),
  };
}

function countBy(groups: readonly InputGroup[], category: (group: InputGroup) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const group of groups) {
    const name = category(group);
    if (name !== "") counts[name] = (counts[name] ?? 0) + group.inputCount;
  }
  return sorted(counts);
}

function sorted(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function topOf(counts: Readonly<Record<string, number>>): Record<string, number> {
  const byCount = Object.entries(counts).sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  if (byCount.length <= SOURCES_MAX) return sorted(counts);
  const rest = byCount.slice(SOURCES_MAX).reduce((sum, [, count]) => sum + count, 0);
  return sorted(Object.fromEntries([...byCount.slice(0, SOURCES_MAX), [OTHER_SOURCES, rest]]));
}

/** Powers of two of a text's length; under 64 and over 64 K units the classes end. */
function lengthName(lengthClass: number): string {
  if (lengthClass < 0) return "";
  const power = Math.min(16, Math.max(5, lengthClass));
  return power === 5 ? "under 64" : power === 16 ? "65536 and more" : `${2 ** power} to ${2 ** (power + 1) - 1}`;
}

/** What lies in the store in the end counts as accepted, also where it was there before. */
function acceptanceOf(outcome: string): string {
  return outcome === "indexed" || outcome === "unchanged" || outcome === "duplicate" ? "accepted" : outcome;
}
