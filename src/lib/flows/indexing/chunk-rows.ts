import type { ChunkRow } from "../../db/queries/write-chunks.ts";
import type { StoreVariant } from "../../db/queries/models.ts";
import { hashPrefix, normalisedHash } from "../../duplicates/sketch.ts";
import { analyse } from "../../lexical/analyse.ts";
import { lexemesJson, sparsevecText } from "../../lexical/encode.ts";
import type { EmbeddedChunks } from "./embed-documents.ts";
import type { PreparedChunk } from "./prepare-document.ts";
import { vectorLiteral } from "./vector-literal.ts";

/** Whether the model refused this chunk's text. */
export function isPoison(document: EmbeddedChunks, chunk: PreparedChunk): boolean {
  return document.vectorByHash.get(chunk.chunkHash) === null;
}

/** Rows of a document's chunks, without those that were refused. `version`: see `insertChunks`. */
export function chunkRowsOf(
  document: EmbeddedChunks & { readonly documentUid: string; readonly version: string },
  variant: StoreVariant,
): readonly ChunkRow[] {
  return document.chunks
    .filter((chunk) => !isPoison(document, chunk))
    .map((chunk) => {
      const vector = document.vectorByHash.get(chunk.chunkHash);
      const lexemes = analyse(chunk.lexicalText);
      return {
        documentUid: document.documentUid,
        version: document.version,
        chunkIndex: chunk.chunkIndex,
        chunkHash: chunk.chunkHash,
        text: chunk.text,
        startOffset: chunk.startOffset,
        endOffset: chunk.endOffset,
        tokenCount: chunk.tokenCount,
        lexemeCount: lexemes.lexemeCount,
        embedding: vector === undefined || vector === null ? null : vectorLiteral(vector),
        lexemes: variant === "vector" ? sparsevecText(lexemes) : lexemesJson(lexemes),
        textHash: hashPrefix(normalisedHash(chunk.text)),
      };
    });
}
