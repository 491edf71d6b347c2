import type { LogStore } from "./log-store.ts";
import type { OpenInput } from "./session-log-api.ts";

/** Opens a log, or renews it: events go on behind its last one. A lease never becomes shorter. */
export function openLog(
  store: LogStore,
  input: OpenInput,
  salt: string,
): { readonly nextSeq: number; readonly openedAtMs: number } {
  const session = store.session();
  if (session === undefined) {
    store.insertSession(input, salt);
    return { nextSeq: 1, openedAtMs: input.nowMs };
  }
  const leaseExpiresAtMs = Math.max(session.leaseExpiresAtMs, input.leaseExpiresAtMs);
  store.updateSession({ isClosed: false, activeAtMs: input.nowMs, leaseExpiresAtMs });
  return { nextSeq: session.durableSeq + 1, openedAtMs: session.openedAtMs };
}
