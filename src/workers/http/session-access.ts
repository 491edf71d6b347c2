import type { Principal } from "../../lib/contract/principal.ts";
import type { SessionIdentity } from "../../lib/session/session-log-api.ts";

/** `principal.userId` is the session's user: what is done in the name of this principal reaches no other. */
export interface SessionAccess {
  readonly principal: Principal;
  readonly session: SessionIdentity;
  readonly keyHash: string;
}
