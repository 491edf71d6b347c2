import { RECORD_LEVEL } from "../../artifact/pack-writer.ts";
import { firstUlidOf } from "../../base/ids.ts";
import { sha256HexSync } from "../../base/hash.ts";
import { err, ok, type Result } from "../../base/result.ts";
import {
  countDocumentsAfter,
  dictionaryArtifactId,
  dictionaryIdRowSchema,
  documentCountRowSchema,
  insertLoser,
  lastTrainingRowSchema,
  promoteDictionary,
  selectLastTraining,
  type TrainedDictionary,
} from "../../db/queries/dictionaries.ts";
import { DICTIONARY_BYTES_MAX, type ZstdDictionary } from "../../zstd/zstd-dictionary.ts";
import type { TrainingError } from "../../zstd/train-dictionary.ts";
import type { PackContext, PackFailure } from "../packs/context.ts";
import { currentDictionary } from "./current-dictionary.ts";
import { dictionaryKey } from "./dictionary-object.ts";
import { type Samples, sampleRecords } from "./sample-records.ts";

export interface TrainingContext extends PackContext {
  /** zstd's trainer, in an instance of its own. */
  readonly trainDictionary: (
    samples: readonly Uint8Array[],
    options: { readonly bytesMax: number; readonly level: number },
  ) => Promise<Result<ZstdDictionary, TrainingError>>;
}

export interface TrainingBounds {
  readonly newDocumentsMin: number;
  readonly samplesMin: number;
  readonly heldOutMin: number;
}

/**
 * newDocumentsMin: documents that have come since the last training, so that there is another one: thirty blocks. A conversation of that length has words of its own, and a
 * training, half a minute of CPU, is not spent on less. samplesMin, heldOutMin: samples in which a trainer finds something, and blocks that say
 * something about what it found.
 */
const TRAINING_BOUNDS: TrainingBounds = { newDocumentsMin: 2_000, samplesMin: 48, heldOutMin: 4 };
/**
 * What a winner saves of the held-out bytes at least, against what packs are made with now. Trainings on more or fewer records of the same texts differ by
 * one per cent, so that less is chance; and each dictionary in use is an object that packs cannot be read without.
 */
const MARGIN = 0.02;
/** A dictionary is a tenth of what it was trained on at most: what is stored once has to pay for itself in what is stored often. */
const DICTIONARY_SHARE = 0.1;
const DICTIONARY_BYTES_MIN = 4 * 1024;

export type TrainingOutcome =
  | { readonly outcome: "not_due" | "too_few" | "user_erased" }
  /** Bytes of the held-out blocks: with the new dictionary, with the current one, without any. */
  | {
      readonly outcome: "promoted" | "lost" | "would_be_promoted" | "would_lose";
      readonly measuredBytes: number;
      readonly currentBytes: number | null;
      readonly plainBytes: number;
    };

/** Trains a dictionary for a tenant if enough has come, and makes it the current one if it wins. Repeating it is harmless. */
export async function trainTenant(
  context: TrainingContext,
  tenantId: string,
  { isDryRun, bounds = TRAINING_BOUNDS }: { readonly isDryRun: boolean; readonly bounds?: TrainingBounds },
): Promise<Result<TrainingOutcome, PackFailure>> {
  const due = await isDue(context, tenantId, bounds);
  if (!due.ok) return due;
  if (!due.value) return ok({ outcome: "not_due" });
  const samples = await sampleRecords(context, tenantId);
  if (!samples.ok) return samples;
  const { training, heldOut } = samples.value;
  if (training.length < bounds.samplesMin || heldOut.length < bounds.heldOutMin) return ok({ outcome: "too_few" });
  const trained = await context.trainDictionary(training, { bytesMax: capacityFor(training), level: RECORD_LEVEL });
  if (!trained.ok) return trained.error.code === "training_failed" ? ok({ outcome: "too_few" }) : trained;
  const current = await currentDictionary(context, tenantId);
  if (!current.ok) return err({ code: current.error.code });
  const zstd = await context.loadZstd();
  const bytesWith = (dictionary: ZstdDictionary | undefined): number =>
    heldOut.reduce((sum, block) => sum + zstd.compress(block, { level: RECORD_LEVEL, dictionary }).length, 0);
  const plainBytes = bytesWith(undefined);
  const currentBytes = current.value === null ? null : bytesWith(current.value);
  const measured = { measuredBytes: bytesWith(trained.value), currentBytes, plainBytes };
  const isWinner = measured.measuredBytes <= Math.min(currentBytes ?? plainBytes, plainBytes) * (1 - MARGIN);
  if (isDryRun) return ok({ outcome: isWinner ? "would_be_promoted" : "would_lose", ...measured });
  const result = { dictionary: trained.value, dictionaryId: trained.value.id, ...measured };
  return isWinner ? promote(context, tenantId, { result, samples: samples.value }) : lose(context, tenantId, result);
}

/** Bytes that a dictionary trained on these may have. */
export function capacityFor(training: readonly Uint8Array[]): number {
  const bytes = training.reduce((sum, sample) => sum + sample.length, 0);
  return Math.min(DICTIONARY_BYTES_MAX, Math.max(DICTIONARY_BYTES_MIN, Math.floor(bytes * DICTIONARY_SHARE)));
}

async function isDue(
  { sql }: TrainingContext,
  tenantId: string,
  { newDocumentsMin }: TrainingBounds,
): Promise<Result<boolean, PackFailure>> {
  const scope = { tenantId, userId: "*" };
  const last = await sql.transaction(scope, [selectLastTraining(tenantId)], { readOnly: true });
  if (!last.ok) return err({ code: last.error.code });
  const { trained_at_ms: lastMs } = lastTrainingRowSchema.parse(last.value[0]?.[0]);
  const after = lastMs === null ? "" : firstUlidOf(Math.floor(lastMs));
  const counted = await sql.transaction(scope, [countDocumentsAfter(tenantId, after, newDocumentsMin)], {
    readOnly: true,
  });
  if (!counted.ok) return err({ code: counted.error.code });
  return ok(documentCountRowSchema.parse(counted.value[0]?.[0]).document_count >= newDocumentsMin);
}

type Measured = TrainedDictionary & { readonly currentBytes: number | null };

/** The object first: a dictionary that is current can be read. What a crash leaves between the two is registered nowhere, and goes as an orphan. */
async function promote(
  { sql, bucket }: TrainingContext,
  tenantId: string,
  {
    result,
    samples,
  }: { readonly result: Measured & { readonly dictionary: ZstdDictionary }; readonly samples: Samples },
): Promise<Result<TrainingOutcome, PackFailure>> {
  const { dictionary, ...measured } = result;
  const objectKey = dictionaryKey(tenantId, dictionary.id);
  const sha256Hex = sha256HexSync(dictionary.bytes);
  try {
    await bucket.put(objectKey, dictionary.bytes, {
      onlyIf: { etagDoesNotMatch: "*" },
      httpMetadata: { contentType: "application/octet-stream" },
      customMetadata: { hash: sha256Hex },
    });
  } catch {
    return err({ code: "storage_unavailable" });
  }
  const artifactId = dictionaryArtifactId(dictionary.id);
  const object = { artifactId, objectKey, sizeBytes: dictionary.bytes.length, sha256Hex };
  const statements = promoteDictionary(tenantId, measured, { users: samples.users, object });
  const rows = await sql.transaction({ tenantId, userId: "*" }, statements);
  if (!rows.ok) return err({ code: rows.error.code });
  const current = rows.value.at(-1)?.[0];
  if (current !== undefined && dictionaryIdRowSchema.parse(current).dictionary_id === dictionary.id)
    return ok({ outcome: "promoted", ...bytesOf(measured) });
  try {
    await bucket.delete(objectKey);
    return ok({ outcome: "user_erased" });
  } catch {
    return err({ code: "storage_unavailable" });
  }
}

async function lose(
  { sql }: TrainingContext,
  tenantId: string,
  measured: Measured,
): Promise<Result<TrainingOutcome, PackFailure>> {
  const rows = await sql.transaction({ tenantId, userId: "*" }, [insertLoser(tenantId, measured)]);
  return rows.ok ? ok({ outcome: "lost", ...bytesOf(measured) }) : err({ code: rows.error.code });
}

function bytesOf({ measuredBytes, currentBytes, plainBytes }: Measured): Omit<Measured, "dictionaryId"> {
  return { measuredBytes, currentBytes, plainBytes };
}
