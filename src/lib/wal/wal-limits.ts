import { LIMITS } from "../base/limits.ts";
import type { WalLimits } from "./wal-layout.ts";

/**
 * Bounds that every WAL object we write keeps: one request at most. A document may be as large as `documentBytesMax`, and around its
 * text lie metadata, names and reasons (at most 32 KB); a range holds the budget and one such document at the worst.
 */
export const WAL_LIMITS: WalLimits = {
  rangesMax: LIMITS.requestDocumentsMax,
  documentsMax: LIMITS.requestDocumentsMax,
  headBytesMax: 4096,
  blockBytesMax: LIMITS.documentBytesMax + LIMITS.rangeTextBytesMax + LIMITS.rangeDocumentsMax * 32 * 1024,
  objectBytesMax: 2 * LIMITS.decompressedBytesMax,
};
