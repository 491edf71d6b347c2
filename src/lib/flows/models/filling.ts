/** What filling the vectors of one model in one tenant works with. */
import type { Clock } from "../../base/clock.ts";
import type { WalDocument } from "../../contract/wal-record.ts";
import type { UnembeddedRow } from "../../db/queries/reembed.ts";
import type { EmbeddingContext } from "../indexing/embed-documents.ts";
import type { ModelInUse } from "./model-source.ts";
import type { PackReadContext } from "../packs/context.ts";

export interface FillContext extends EmbeddingContext, PackReadContext {
  readonly clock: Clock;
}

export interface FillTarget {
  readonly tenantId: string;
  readonly model: ModelInUse;
  /** The active model, or one beside it. */
  readonly isActive: boolean;
}

/** What was done; adds up over pages. */
export interface FillTally {
  documentCount: number;
  chunkCount: number;
  tokenCount: number;
  /** Documents of which something could not be embedded. */
  refusedCount: number;
  /** Documents that another run filled, or that changed meanwhile: the next run looks at them again. */
  changedCount: number;
  embedMs: number;
}

export const newFillTally = (): FillTally => ({
  documentCount: 0,
  chunkCount: 0,
  tokenCount: 0,
  refusedCount: 0,
  changedCount: 0,
  embedMs: 0,
});

/** Why filling stopped before its end: a code. The next run goes on. */
export interface FillError {
  readonly code: string;
}

/** A stored document with its text as it was accepted. */
export interface ReadableDocument {
  readonly row: UnembeddedRow;
  readonly document: WalDocument;
}

/** A document of which nothing can be embedded. */
export interface RefusedDocument {
  readonly row: UnembeddedRow;
  readonly code: string;
}
