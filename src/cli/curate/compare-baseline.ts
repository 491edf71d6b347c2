import { readFile } from "node:fs/promises";
import type { CurateReport } from "../../lib/curate/curate-report.ts";
import { curateReportSchema } from "../../lib/curate/curate-report.ts";
import { type BatchProfile, batchProfileSchema } from "../../lib/drift/batch-profile.ts";
import { compareProfiles, type DriftThresholds } from "../../lib/drift/compare-profiles.ts";
import { usageError } from "../command-error.ts";

/** The profile of an earlier report.json. */
export async function readBaseline(path: string): Promise<BatchProfile> {
  try {
    return batchProfileSchema.parse(curateReportSchema.parse(JSON.parse(await readFile(path, "utf8"))).profile);
  } catch {
    throw usageError(`--baseline: "${path}" is not a report of a curation`);
  }
}

/** How a curation differs from an earlier one, by the rules of the service's own drift reports. Pure. */
export function driftFrom(
  now: BatchProfile,
  before: { readonly name: string; readonly profile: BatchProfile },
  thresholds: DriftThresholds,
): NonNullable<CurateReport["drift"]> {
  const dimensions = compareProfiles(now, before.profile, thresholds).map(({ dimension, verdict, psi, js }) => ({
    dimension,
    psi,
    js_bits: js,
    verdict,
  }));
  return { baseline: before.name, dimensions };
}
