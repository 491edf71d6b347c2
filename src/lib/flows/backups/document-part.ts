/** One part of a tenant's documents: lines with their rows, and for each model a pack with their texts and vectors. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { z } from "zod";
import { assert } from "../../base/assert.ts";
import { joinBytes } from "../../base/bytes.ts";
import { PACK_LIMITS } from "../../artifact/pack-limits.ts";
import { PackWriter, type PackWriterOptions } from "../../artifact/pack-writer.ts";
import type { StoreVariant } from "../../db/queries/models.ts";
import type { DocumentPageRow } from "../../db/queries/backup.ts";
import { storedVector } from "../models/stored-vector.ts";
import { LineFile, writeFile, writeLines } from "./line-file.ts";
import { packRecordOf, type VectorRow } from "./pack-record.ts";

/** A model as its number and its fingerprint. */
export interface BackedModel {
  readonly model_id: number;
  readonly fingerprint: string;
  readonly dimensions: number;
}

export interface PartOptions {
  readonly zstd: PackWriterOptions["zstd"];
  readonly tenantId: string;
  /** Prefix of the part's files, with the number of the part. */
  readonly keyPrefix: string;
  readonly createdAtMs: number;
  readonly variant: StoreVariant;
  readonly models: ReadonlyMap<number, BackedModel>;
}

/** Level of the texts of a backup: 19, which packs are made with, takes ten times as long for 8 % less. */
const TEXT_LEVEL = 6;
/** Documents and bytes of vectors and texts after which a part is closed: it is held in memory until then. */
const DOCUMENTS_MAX = 20_000;
const PACK_BYTES_MAX = 8 * 1024 * 1024;

interface OpenPack {
  readonly writer: PackWriter;
  readonly bytes: Uint8Array[];
}

/** A part on its way. */
export class DocumentPart {
  readonly #options: PartOptions;
  readonly #lines = new LineFile();
  readonly #packs = new Map<number, OpenPack>();
  #packedBytes = 0;

  constructor(options: PartOptions) {
    this.#options = options;
  }

  get rowCount(): number {
    return this.#lines.rowCount;
  }

  get isFull(): boolean {
    return this.#lines.isFull || this.#lines.rowCount >= DOCUMENTS_MAX || this.#packedBytes >= PACK_BYTES_MAX;
  }

  async add(page: DocumentPageRow): Promise<void> {
    const { document_uid, user_id, version_key, wal_id, models, document, signature, bands } = page;
    const name = { document_uid, user_id, version_key, wal_id, models };
    if (document === null) {
      this.#lines.add("kept", JSON.stringify(name));
      return;
    }
    const rows = page.chunks.map((row, index) => vectorRowOf(row, page.embeddings[index]));
    for (const [modelId] of models) {
      const own = rows.filter(({ row }) => row["model_id"] === modelId);
      const { writer } = this.#pack(modelId);
      const added = await writer.add(packRecordOf(document, own));
      assert(added.ok, "a part is far smaller than the largest pack");
    }
    const chunks = page.chunks.map(({ text: _text, ...row }) => row);
    this.#lines.add("documents", JSON.stringify({ ...name, document, chunks, signature, bands }));
  }

  #pack(modelId: number): OpenPack {
    const known = this.#packs.get(modelId);
    if (known !== undefined) return known;
    const { zstd, tenantId, createdAtMs, variant, models } = this.#options;
    const model = models.get(modelId);
    assert(model !== undefined, "a model of stored vectors is registered");
    const { fingerprint, dimensions } = model;
    const bytes: Uint8Array[] = [];
    const writer = new PackWriter({
      zstd: {
        compress: (content, options) =>
          zstd.compress(content, { ...options, level: Math.min(options.level, TEXT_LEVEL) }),
      },
      dictionary: null,
      head: { tenant_id: tenantId, created_at_ms: createdAtMs, models: [fingerprint], versions: {} },
      vectors: { fingerprint, dimensions, kind: variant === "vector" ? "f16" : "f32" },
      derivations: {},
      limits: PACK_LIMITS,
      sink: {
        write: async (piece) => {
          bytes.push(piece);
          this.#packedBytes += piece.length;
        },
      },
    });
    const opened = { writer, bytes };
    this.#packs.set(modelId, opened);
    return opened;
  }

  /** Writes the files of the part, packs first: lines that are there have their texts. */
  async write(bucket: R2Bucket): Promise<void> {
    const { keyPrefix } = this.#options;
    for (const [modelId, { writer, bytes }] of this.#packs) {
      const finished = await writer.finish();
      assert(finished.ok, "a part is far smaller than the largest pack");
      const key = `${keyPrefix}.${modelId}.mpz`;
      await writeFile(bucket, { key, bytes: joinBytes(bytes), rowCount: finished.value.recordCount, rawBytes: 0 });
    }
    await writeLines(bucket, `${keyPrefix}.jsonl.zst`, { text: this.#lines.text(), rowCount: this.#lines.rowCount });
  }
}

function vectorRowOf(row: Readonly<Record<string, unknown>>, embedding: string | undefined): VectorRow {
  assert(embedding !== undefined, "a chunk has its vector");
  return { row, vector: storedVector(embedding) };
}

const rowSchema = z.record(z.string(), z.unknown());

/** A document that did not change: its rows stand in an earlier backup. */
export const keptLineSchema = z.object({
  document_uid: z.string(),
  user_id: z.string(),
  version_key: z.string(),
  wal_id: z.string(),
  /** Number of a model, and of chunks under it. */
  models: z.array(z.tuple([z.int(), z.int()])),
});

/** A document with its rows, but for texts and vectors. */
export const documentLineSchema = keptLineSchema.extend({
  document: rowSchema,
  chunks: z.array(rowSchema),
  signature: rowSchema.nullable(),
  bands: z.array(rowSchema),
});
export type DocumentLine = z.infer<typeof documentLineSchema>;
