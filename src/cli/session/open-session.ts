import { setTimeout as sleep } from "node:timers/promises";
import { openedReplySchema, waitingReplySchema, type OpenedReply } from "../../lib/contract/session-opening.ts";
import { ApiError, type ApiClient } from "../api-client.ts";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit-code.ts";

/** Which session, and how to get it. */
export interface SessionTarget {
  /** Undefined: the service makes one. */
  readonly sessionId: string | undefined;
  readonly userId: string | undefined;
  readonly source: string | undefined;
  /** Whether to wait in line where no more sessions can be open. */
  readonly wait: boolean;
}

/** Opens the session, or goes on with an open one. `note` hears of the place in the line. */
export async function openSession(
  api: ApiClient,
  target: SessionTarget,
  { note, signal }: { readonly note: (line: string) => void; readonly signal?: AbortSignal },
): Promise<OpenedReply> {
  let { sessionId } = target;
  for (;;) {
    const json = {
      ...(sessionId === undefined ? {} : { session_id: sessionId }),
      ...(target.userId === undefined ? {} : { user_id: target.userId }),
      ...(target.source === undefined ? {} : { source: target.source }),
      wait: target.wait,
    };
    const response = await api
      .response({ method: "POST", path: "/v1/sessions", json, attemptsMax: 1 })
      .catch((error: unknown) => {
        if (!(error instanceof ApiError) || error.code !== "sessions_full") throw error;
        throw new CommandError(
          "no more sessions can be open now: try again, or wait in line with --wait",
          EXIT.refused,
        );
      });
    const body: unknown = await response.json();
    if (response.status !== 202) return openedReplySchema.parse(body);
    const waiting = waitingReplySchema.parse(body);
    sessionId = waiting.session_id;
    note(`waiting for a place: ${waiting.position === 1 ? "next in line" : `${waiting.position - 1} before this one`}`);
    await sleep(waiting.retry_after_seconds * 1000, undefined, signal === undefined ? {} : { signal });
  }
}
