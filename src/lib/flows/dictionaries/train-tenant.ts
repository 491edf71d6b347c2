import { wordCodeOf } from "../../artifact/dictionary-words.ts";
import type { EncodedBlock } from "../../artifact/encoded-block.ts";
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
import type { PackContext, PackFailure } from "../packs/context.ts";
import { currentDictionary } from "./current-dictionary.ts";
import { dictionaryKey } from "./dictionary-object.ts";
import { type Samples, sampleRecords } from "./sample-records.ts";
import { inWords, type Trainer, trainWithWords } from "./train-with-words.ts";

export interface TrainingContext extends PackContext {
  /** zstd's trainer, in an instance of its own. */
  readonly trainDictionary: Trainer;
}

export interface TrainingBounds {
  readonly newDocumentsMin: number;
  readonly samplesMin: number;
  readonly heldOutMin: number;
  readonly servedPerDocument: number;
}

/**
 * newDocumentsMin: documents that have come since the last training, so that there is another one: thirty blocks. A conversation of that length has words of its own, and a
 * training, ten seconds of CPU, is not spent on less. samplesMin, heldOutMin: samples in which a trainer finds something, and blocks that say
 * something about what it found. servedPerDocument: documents that a dictionary will be used for, for each that the tenant has: nothing is known of those
 * that will come but how many came.
 */
const TRAINING_BOUNDS: TrainingBounds = {
  newDocumentsMin: 2_000,
  samplesMin: 48,
  heldOutMin: 4,
  servedPerDocument: 1,
};
/**
 * What a winner saves of the held-out bytes at least, against what packs are made with now. Trainings on more or fewer records of the same texts differ by
 * one per cent, so that less is chance; and each dictionary in use is an object that packs cannot be read without.
 */
const MARGIN = 0.02;
/** Documents that a tenant's are counted up to: with as many, 2 % of short records are more than the largest dictionary. */
const DOCUMENTS_COUNTED_MAX = 200_000;
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
  const settings = { bytesMax: capacityFor(training), level: RECORD_LEVEL };
  const trained = await trainWithWords(training, context.trainDictionary, settings);
  if (!trained.ok) return trained.error.code === "training_failed" ? ok({ outcome: "too_few" }) : trained;
  const current = await currentDictionary(context, tenantId);
  if (!current.ok) return err({ code: current.error.code });
  const zstd = await context.loadZstd();
  const bytesWith = (dictionary: ZstdDictionary | undefined): number =>
    inWords(heldOut, wordCodeOf(dictionary)).reduce(
      (sum, { content, tail }) =>
        sum + zstd.compress(content, { level: RECORD_LEVEL, dictionary }).length + tail.length,
      0,
    );
  const plainBytes = bytesWith(undefined);
  const currentBytes = current.value === null ? null : bytesWith(current.value);
  const measured = { measuredBytes: bytesWith(trained.value), currentBytes, plainBytes };
  const documentCount = await countDocuments(context, tenantId, { after: "", countMax: DOCUMENTS_COUNTED_MAX });
  if (!documentCount.ok) return documentCount;
  const isWinner = isWorthwhile(measured, {
    dictionaryBytes: trained.value.bytes.length,
    servedPerHeldOut: (documentCount.value * bounds.servedPerDocument) / samples.value.heldOutRecordCount,
  });
  if (isDryRun) return ok({ outcome: isWinner ? "would_be_promoted" : "would_lose", ...measured });
  const result = { dictionary: trained.value, dictionaryId: trained.value.id, ...measured };
  return isWinner ? promote(context, tenantId, { result, samples: samples.value }) : lose(context, tenantId, result);
}

/** Whether a dictionary saves enough of each document, and more than its own bytes on all that it will be used for. */
function isWorthwhile(
  {
    measuredBytes,
    currentBytes,
    plainBytes,
  }: Omit<TrainedDictionary, "dictionaryId"> & { currentBytes: number | null },
  { dictionaryBytes, servedPerHeldOut }: { readonly dictionaryBytes: number; readonly servedPerHeldOut: number },
): boolean {
  const best = Math.min(currentBytes ?? plainBytes, plainBytes);
  return measuredBytes <= best * (1 - MARGIN) && (best - measuredBytes) * servedPerHeldOut > dictionaryBytes;
}

/** Bytes that a dictionary trained on these may have. */
export function capacityFor(training: readonly EncodedBlock[]): number {
  const bytes = training.reduce((sum, { content }) => sum + content.length, 0);
  return Math.min(DICTIONARY_BYTES_MAX, Math.max(DICTIONARY_BYTES_MIN, Math.floor(bytes * DICTIONARY_SHARE)));
}

async function isDue(
  context: TrainingContext,
  tenantId: string,
  { newDocumentsMin: countMax }: TrainingBounds,
): Promise<Result<boolean, PackFailure>> {
  const { sql } = context;
  const scope = { tenantId, userId: "*" };
  const last = await sql.transaction(scope, [selectLastTraining(tenantId)], { readOnly: true });
  if (!last.ok) return err({ code: last.error.code });
  const { trained_at_ms: lastMs } = lastTrainingRowSchema.parse(last.value[0]?.[0]);
  const after = lastMs === null ? "" : firstUlidOf(Math.floor(lastMs));
  const counted = await countDocuments(context, tenantId, { after, countMax });
  return counted.ok ? ok(counted.value >= countMax) : counted;
}

async function countDocuments(
  { sql }: TrainingContext,
  tenantId: string,
  { after, countMax }: { readonly after: string; readonly countMax: number },
): Promise<Result<number, PackFailure>> {
  const scope = { tenantId, userId: "*" };
  const counted = await sql.transaction(scope, [countDocumentsAfter(tenantId, after, countMax)], { readOnly: true });
  if (!counted.ok) return err({ code: counted.error.code });
  return ok(documentCountRowSchema.parse(counted.value[0]?.[0]).document_count);
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
