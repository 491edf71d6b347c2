import type { Log } from "../../base/log.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Principal } from "../../contract/principal.ts";
import type { Problem } from "../../contract/problem.ts";
import type { SessionIdentity, SessionLogApi } from "../../session/session-log-api.ts";
import { eraseDocument, type DocumentName } from "../deletions/erase-document.ts";
import type { EraseContext } from "../deletions/erase-documents.ts";
import { askLog } from "./ask-log.ts";
import { readMarker } from "./session-marker.ts";

interface EraseEventContext extends EraseContext {
  readonly log: Pick<Log, "error">;
  readonly sessionLog: (session: SessionIdentity) => Pick<SessionLogApi, "eraseEvent">;
}

/** `<session id>/<seq>`; a session's id may have slashes of its own. */
const EVENT_ID = /^(.+)\/([1-9]\d{0,14})$/s;

/**
 * Deletes the document of an event, and takes its text out of its session's log: from there it would come again as a later version. Where the id is of
 * no session it is a document as any other.
 */
export async function eraseEvent(
  context: EraseEventContext,
  principal: Principal,
  name: DocumentName,
): Promise<Result<{ readonly existed: boolean; readonly deleted_chunk_count: number }, Problem>> {
  if (principal.userId !== "" && principal.userId !== name.userId) return err({ code: "user_forbidden" });
  const [, sessionId, seq] = EVENT_ID.exec(name.documentId) ?? [];
  if (sessionId === undefined) return eraseDocument(context, principal, name);
  const session = { tenantId: principal.tenantId, userId: name.userId, sessionId };
  const marker = await readMarker(context.bucket, session);
  if (!marker.ok) return marker;
  if (marker.value === undefined) return eraseDocument(context, principal, name);
  const log = context.sessionLog(session);
  const inLog = await askLog(context, () => log.eraseEvent({ seq: Number(seq) }));
  if (!inLog.ok) return inLog;
  const erased = await eraseDocument(context, principal, name);
  return erased.ok ? ok({ ...erased.value, existed: erased.value.existed || inLog.value.erased }) : erased;
}
