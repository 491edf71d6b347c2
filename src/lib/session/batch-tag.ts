import { sha256HexSync } from "../base/hash.ts";
import type { SessionIdentity } from "./session-log-api.ts";

/** Batch tag of everything that a session brings into the store. No client can use it: see `isReservedBatchTag`. */
export function sessionBatchTag({ userId, sessionId }: SessionIdentity): string {
  return `session-${sha256HexSync(JSON.stringify([userId, sessionId])).slice(0, 24)}`;
}
