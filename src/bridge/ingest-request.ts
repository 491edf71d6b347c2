import { sha256HexSync } from "../lib/base/hash.ts";
import type { Trigger } from "./trigger.ts";

/** One `POST /v1/documents`. */
export interface IngestRequest {
  readonly body: string;
  readonly idempotencyKey: string;
  readonly documentCount: number;
}

/**
 * The request of planned stream entries. Its key is made of the stream, the entry ids and the body: the same entries sent again, by whichever
 * bridge, are the same request. The body is part of it so that ids of another server's stream of that name cannot meet these. Pure.
 */
export function streamRequest(stream: string, triggers: readonly Trigger[]): IngestRequest {
  const body = bodyOf(triggers);
  const ids = triggers.map(({ id }) => id);
  const hash = sha256HexSync(`${JSON.stringify([stream, ids])}\n${body}`);
  return { body, idempotencyKey: `bridge-stream-${hash}`, documentCount: documentCount(triggers) };
}

/**
 * The request of channel messages. Its key is one of a kind, so that only attempts at this request are one effect: a message has no id, and
 * a hash of it could not tell a repeat from a document that returns to what it said before. Pure, but for the id given.
 */
export function channelRequest(requestId: string, triggers: readonly Trigger[]): IngestRequest {
  return {
    body: bodyOf(triggers),
    idempotencyKey: `bridge-channel-${requestId}`,
    documentCount: documentCount(triggers),
  };
}

function bodyOf(triggers: readonly Trigger[]): string {
  return JSON.stringify({ documents: triggers.flatMap(({ documents }) => documents) });
}

function documentCount(triggers: readonly Trigger[]): number {
  return triggers.reduce((sum, { documents }) => sum + documents.length, 0);
}
