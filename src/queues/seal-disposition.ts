import type { Random } from "../lib/base/clock.ts";
import type { SealError } from "../lib/flows/sessions/register-segment.ts";
import { type Disposition, dispositionOf, type FailureClass } from "./disposition.ts";

/** Attempts for an error that may be permanent but is not known to be. */
const DOUBTFUL_ATTEMPTS_MAX = 8;

/** Bytes of a segment do not heal. Everything else may: a service comes back, an object is restored, a segment before this one arrives. */
const PERMANENT: ReadonlySet<SealError["code"]> = new Set([
  "segment_not_recognized",
  "segment_version_unsupported",
  "segment_head_malformed",
  "segment_record_corrupt",
  "segment_footer_corrupt",
  "segment_has_tail",
  "segment_incomplete",
  "segment_frame_invalid",
  "segment_mismatch",
  "too_large",
]);

const DOUBTFUL: ReadonlySet<SealError["code"]> = new Set([
  "segment_missing",
  "sidecar_malformed",
  "constraint_violation",
  "database_error",
]);

/** What follows from a segment that could not be registered, at its n-th attempt (from 1). Pure. */
export function sealDispositionOf(error: SealError, attempts: number, random: Random): Disposition {
  return dispositionOf({ error, kind: classOf(error), attempts, doubtfulAttemptsMax: DOUBTFUL_ATTEMPTS_MAX }, random);
}

function classOf({ code }: SealError): FailureClass {
  if (PERMANENT.has(code)) return "permanent";
  return DOUBTFUL.has(code) ? "doubtful" : "transient";
}
