/** Who may write to or look at the session of a path: its write token, or an API key of its user or tenant. */
import { bearerOf } from "../../lib/auth/authenticator.ts";
import { isWriteToken } from "../../lib/auth/write-token.ts";
import { sha256HexSync } from "../../lib/base/hash.ts";
import { err, ok, type Result } from "../../lib/base/result.ts";
import type { Principal } from "../../lib/contract/principal.ts";
import type { Problem } from "../../lib/contract/problem.ts";
import { userIdSchema } from "../../lib/contract/scope.ts";
import { sessionIdSchema } from "../../lib/contract/session-opening.ts";
import type { SessionIdentity } from "../../lib/session/session-log-api.ts";
import type { Call } from "./route.ts";
import type { SessionAccess } from "./session-access.ts";

/** A WebSocket of a browser cannot set headers: the token travels among the subprotocols that it offers. */
const TOKEN_PROTOCOL = "jeeves.token.";

type Asked = Pick<Call, "context" | "request" | "params" | "waitUntil">;

export async function authorizeSession(asked: Asked): Promise<Result<SessionAccess, Problem>> {
  const sessionId = sessionIdSchema.safeParse(asked.params["id"]);
  if (!sessionId.success) return err({ code: "parameter_invalid", pointer: "/id" });
  const named = new URL(asked.request.url).searchParams.get("user_id") ?? undefined;
  const userId = userIdSchema.optional().safeParse(named);
  if (!userId.success) return err({ code: "parameter_invalid", pointer: "/user_id" });
  const target = { sessionId: sessionId.data, userId: userId.data };
  const credential = credentialOf(asked.request);
  return credential !== undefined && isWriteToken(credential)
    ? byToken(asked, credential, target)
    : byKey(asked, credential, target);
}

/** The session that the path and the query name; undefined where the query leaves the user to the credential. */
interface Target {
  readonly sessionId: string;
  readonly userId: string | undefined;
}

function credentialOf(request: Request): string | undefined {
  const protocols = (request.headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());
  const offered = protocols.find((name) => name.startsWith(TOKEN_PROTOCOL));
  return bearerOf(request.headers.get("authorization")) ?? offered?.slice(TOKEN_PROTOCOL.length);
}

async function byToken(
  { context, waitUntil }: Asked,
  credential: string,
  target: Target,
): Promise<Result<SessionAccess, Problem>> {
  const { writeTokens } = context;
  if (writeTokens === undefined) return err({ code: "sessions_not_configured" });
  const token = writeTokens.open(credential);
  if (!token.ok) return err({ code: token.error });
  const { tenantId, userId, sessionId, keyHash } = token.value;
  if (sessionId !== target.sessionId || (target.userId ?? userId) !== userId)
    return err({ code: "token_other_session" });
  const found = await context.authenticator.authenticateHash(keyHash, waitUntil);
  if (!found.ok) return err({ code: found.error });
  const key = found.value;
  if (key.tenantId !== tenantId || (key.userId !== "" && key.userId !== userId)) return err({ code: "token_invalid" });
  return grant(key, { tenantId, userId, sessionId }, keyHash);
}

async function byKey(
  { context, waitUntil }: Asked,
  credential: string | undefined,
  target: Target,
): Promise<Result<SessionAccess, Problem>> {
  const authorization = credential === undefined ? null : `Bearer ${credential}`;
  const found = await context.authenticator.authenticate(authorization, waitUntil);
  if (!found.ok) return err({ code: found.error });
  const key = found.value;
  const userId = target.userId ?? key.userId;
  if (key.userId !== "" && key.userId !== userId) return err({ code: "user_forbidden" });
  const { tenantId } = key;
  return grant(key, { tenantId, userId, sessionId: target.sessionId }, sha256HexSync(credential ?? ""));
}

function grant(key: Principal, session: SessionIdentity, keyHash: string): Result<SessionAccess, Problem> {
  if (!key.scopes.includes("ingest")) return err({ code: "scope_missing", detail: "needs ingest" });
  return ok({ principal: { ...key, userId: session.userId, scopes: ["ingest"] }, session, keyHash });
}
