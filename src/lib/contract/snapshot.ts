/** What a snapshot says of the objects of the bucket: in R2, on the wire and in the command line the same. */
import { z } from "zod";

export const snapshotKindSchema = z.enum(["hourly", "daily", "weekly"]);
export type SnapshotKind = z.infer<typeof snapshotKindSchema>;

/** The hour in which it was begun, UTC: `yyyymmddThh0000Z`. */
export const snapshotIdSchema = z.string().regex(/^\d{8}T\d{2}0000Z$/);

/** One object as the snapshot saw it: a line of a part. */
export const snapshotObjectSchema = z.object({
  key: z.string().min(1).max(1_024),
  size_bytes: z.int().min(0),
  etag: z.string().describe("of R2: the MD5 of an object that was put in one piece"),
  hash: z.string().nullable().describe("what its writer noted of its content, where one did"),
  uploaded_at: z.iso.datetime(),
});
export type SnapshotObject = z.infer<typeof snapshotObjectSchema>;

/** A stretch of the listing. Parts follow each other: each begins behind the last key of the one before. */
const snapshotPartSchema = z.object({
  key: z.string(),
  after: z.string().describe("'' for the first"),
  last: z.string(),
  object_count: z.int().min(0),
  size_bytes: z.int().min(0).describe("of its objects"),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe("of the part as it is stored"),
});
export type SnapshotPart = z.infer<typeof snapshotPartSchema>;

const watermarkSchema = z.object({
  database: z.string().describe("name of the shard"),
  time: z.iso.datetime().nullable().describe("clock of the database; null where it did not answer"),
  wal_lsn: z.string().nullable(),
  snapshot: z.string().nullable().describe("pg_current_snapshot(): transactions that had ended"),
});
export type Watermark = z.infer<typeof watermarkSchema>;

/** What is written down before the first object is listed. */
export const begunListingSchema = z.object({
  version: z.literal(1),
  id: snapshotIdSchema,
  kinds: z.array(snapshotKindSchema).min(1),
  watermarks: z.array(watermarkSchema),
  backup_key: z.string().nullable().describe("manifest of the newest whole backup; null where there was none"),
});
export type BegunBody = z.infer<typeof begunListingSchema>;

export const snapshotManifestSchema = begunListingSchema.omit({ kinds: true }).extend({
  kind: snapshotKindSchema,
  begun_at: z.iso.datetime().describe("clock of the object store, as all times of objects"),
  prefixes: z.array(z.string()),
  object_count: z.int().min(0),
  size_bytes: z.int().min(0),
  parts: z.array(snapshotPartSchema).max(10_000),
});
export type SnapshotManifest = z.infer<typeof snapshotManifestSchema>;

const snapshotEntrySchema = z.object({
  kind: snapshotKindSchema,
  id: snapshotIdSchema,
  begun_at: z.iso.datetime(),
  ended_at: z.iso.datetime(),
  object_count: z.int().min(0),
  size_bytes: z.int().min(0),
});
export type SnapshotEntry = z.infer<typeof snapshotEntrySchema>;

export const snapshotListSchema = z.object({
  snapshots: z.array(snapshotEntrySchema),
  under_way: z.array(z.string()).describe("listings that have no manifest yet"),
});

export const snapshotPageSchema = z.object({
  part: z.int().min(0),
  objects: z.array(snapshotObjectSchema),
  next_part: z.int().nullable(),
});

const snapshotChangeSchema = z.object({
  change: z.enum(["added", "removed", "changed"]),
  key: z.string(),
  before_bytes: z.int().nullable(),
  later_bytes: z.int().nullable(),
});
export type SnapshotChange = z.infer<typeof snapshotChangeSchema>;

export const snapshotDiffSchema = z.object({
  changes: z.array(snapshotChangeSchema),
  next_after: z.string().nullable().describe("key behind which the next page begins; null at the end"),
});
export type SnapshotDiff = z.infer<typeof snapshotDiffSchema>;

const objectStateSchema = z
  .enum(["changed", "erased", "missing"])
  .describe(
    "erased: an erasure or a redaction removed it or wrote it anew; changed: overwritten; missing: gone, and nothing says why",
  );
export type ObjectState = z.infer<typeof objectStateSchema>;

export const snapshotCheckSchema = z.object({
  part: z.int().min(0),
  present: z.int().describe("objects that are there with their etag"),
  changed: z.int(),
  erased: z.int(),
  missing: z.int(),
  held: z.int().describe("objects that were removed and are there because of a snapshot"),
  taken_back: z.boolean().describe("their removal was taken back: they stay"),
  named: z.array(z.object({ key: z.string(), state: objectStateSchema })),
  next_part: z.int().nullable(),
});
export type SnapshotCheck = z.infer<typeof snapshotCheckSchema>;
