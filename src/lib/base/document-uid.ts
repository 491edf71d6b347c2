import { sha256HexSync } from "./hash.ts";

/** What makes a document that document: the same id under two users or tiers names two documents. */
export interface DocumentIdentity {
  readonly tenantId: string;
  readonly userId: string;
  readonly tier: string;
  readonly documentId: string;
}

/** Key of a document: a UUID (version 8, custom) made of the SHA-256 of its identity, so that every writer derives the same one. */
export function documentUid(identity: DocumentIdentity): string {
  const hex = sha256HexSync(JSON.stringify([identity.tenantId, identity.userId, identity.tier, identity.documentId]));
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}

/** Orders the versions of one document: later requests after earlier ones, then by position in the request. */
export function versionKey(walId: string, documentIndex: number): string {
  return `${walId}-${String(documentIndex).padStart(5, "0")}`;
}

/** Public id of a receipt. */
export function receiptId(walId: string, documentIndex: number): string {
  return `${walId}-${documentIndex}`;
}
