import type { R2Bucket } from "@cloudflare/workers-types";
import type { Semaphore } from "../../base/semaphore.ts";
import type { Sql, SqlError } from "../../db/sql.ts";
import type { EmbedTextsError } from "../../embed/embed-texts.ts";
import type { Embedder } from "../../embed/embedder.ts";
import type { RequestBudget } from "../../embed/request-batches.ts";
import type { LanguageDetector } from "../../gate/language.ts";
import type { WalReadError } from "../../wal/read-wal-range.ts";
import type { ModelError, ModelSource } from "../models/model-source.ts";

/** What indexing uses. Constructed by the composition root only. */
export interface IndexingContext {
  readonly sql: Sql;
  readonly bucket: R2Bucket;
  readonly embedder: Embedder;
  readonly models: ModelSource;
  readonly requestBudget: RequestBudget;
  /** Embedding requests in flight, shared by all ranges of one invocation. */
  readonly embedRequests: Semaphore;
  readonly loadLanguageDetector: () => Promise<LanguageDetector>;
}

/** Why a range could not be applied. The disposition table decides what follows from each. */
export type IndexRangeError =
  | WalReadError
  | { readonly code: "wal_mismatch"; readonly detail: string }
  | { readonly code: "store_changed" }
  | ModelError
  | EmbedTextsError
  | SqlError;

/** What applying a range did. `alreadyApplied` is the redelivery case: nothing was done. */
export interface IndexRangeReport {
  readonly alreadyApplied: boolean;
  readonly documentCount: number;
  readonly indexedCount: number;
  readonly unchangedCount: number;
  readonly duplicateCount: number;
  readonly chunkCount: number;
  readonly chunkReusedCount: number;
  readonly chunkFailedCount: number;
  readonly tokenCount: number;
  /** Of them those of chunks whose vector was known. */
  readonly tokenReusedCount: number;
  /** When the request was accepted, or the micro-batch of a session opened. */
  readonly receivedAtMs: number;
}
