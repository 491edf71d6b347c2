import type { Semaphore } from "../../base/semaphore.ts";
import { ok, type Result } from "../../base/result.ts";
import type { WalDocument } from "../../contract/wal-record.ts";
import { chunkHashRowSchema, selectKnownChunkHashes } from "../../db/queries/write-chunks.ts";
import type { Sql, SqlError } from "../../db/sql.ts";
import { embedTexts, type EmbedTextsError } from "../../embed/embed-texts.ts";
import type { Embedder } from "../../embed/embedder.ts";
import type { RequestBudget } from "../../embed/request-batches.ts";
import type { ModelError, ModelInUse, ModelSource } from "../models/model-source.ts";
import { prepareChunks, type PreparedChunk } from "./prepare-document.ts";

export interface EmbeddingContext {
  readonly sql: Sql;
  readonly embedder: Embedder;
  readonly models: Pick<ModelSource, "tokenCounter">;
  readonly requestBudget: RequestBudget;
  /** Embedding requests in flight of all who share it. */
  readonly embedRequests: Semaphore;
}

export interface DocumentsToEmbed<D> {
  readonly tenantId: string;
  readonly model: ModelInUse;
  readonly documents: readonly D[];
}

/** A document's chunks under one model. `vectorByHash` holds the vectors made now: null where the text was refused, absent where the store knows one. */
export interface EmbeddedChunks {
  readonly chunks: readonly PreparedChunk[];
  readonly vectorByHash: ReadonlyMap<string, Float32Array | null>;
}

/** Cuts documents as the model needs them and embeds what the store knows no vector of. */
export async function embedDocuments<D extends { readonly document: WalDocument }>(
  context: EmbeddingContext,
  { tenantId, model, documents }: DocumentsToEmbed<D>,
): Promise<Result<readonly (D & EmbeddedChunks)[], ModelError | EmbedTextsError | SqlError>> {
  if (documents.length === 0) return ok([]);
  const counter = await context.models.tokenCounter(model.fingerprint);
  if (!counter.ok) return counter;
  const cut = documents.map((each) => ({ ...each, chunks: prepareChunks(each.document, counter.value, model) }));
  const byHash = new Map<string, PreparedChunk>();
  for (const { chunks } of cut) for (const chunk of chunks) byHash.set(chunk.chunkHash, chunk);
  const stored = await readStoredHashes(context.sql, { tenantId, model, chunkHashes: [...byHash.keys()] });
  if (!stored.ok) return stored;
  const missing = [...byHash.values()].filter((chunk) => !stored.value.has(chunk.chunkHash));
  const vectors = await embedTexts(
    {
      embedder: context.embedder,
      fingerprint: model.fingerprint,
      dimensions: model.dimensions,
      budget: context.requestBudget,
      requests: context.embedRequests,
    },
    missing.map((chunk) => ({ text: model.documentPrefix + chunk.indexedText, tokenCount: chunk.tokenCount })),
  );
  if (!vectors.ok) return vectors;
  const vectorByHash = new Map(missing.map((chunk, index) => [chunk.chunkHash, vectors.value[index] ?? null]));
  return ok(cut.map((document) => ({ ...document, vectorByHash })));
}

async function readStoredHashes(
  sql: Sql,
  asked: { readonly tenantId: string; readonly model: ModelInUse; readonly chunkHashes: readonly string[] },
): Promise<Result<ReadonlySet<string>, SqlError>> {
  const rows = await sql.transaction(
    { tenantId: asked.tenantId, userId: "*" },
    [selectKnownChunkHashes(asked.tenantId, asked.model.modelId, asked.chunkHashes)],
    { readOnly: true },
  );
  if (!rows.ok) return rows;
  return ok(new Set((rows.value[0] ?? []).map((row) => chunkHashRowSchema.parse(row).chunk_hash)));
}
