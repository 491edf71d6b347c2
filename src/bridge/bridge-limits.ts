import { MINUTE_MS } from "../lib/base/durations.ts";
import { LIMITS } from "../lib/base/limits.ts";

/** Bounds of the bridge, with their reasons; the flags of `jeeves bridge` choose within them. */
export const BRIDGE_LIMITS = {
  /** Documents of one request at most: what the ingest API takes. */
  requestDocumentsMax: LIMITS.requestDocumentsMax,
  /** Bytes of messages that one request gathers: a single message may be larger, and then goes alone. */
  requestBytesMax: 1024 * 1024,
  /** Bytes of one message at most: the largest document whose text is escaped character by character, far below a request's 16 MiB. */
  messageBytesMax: 4 * 1024 * 1024,
  /** Requests in flight at most: each holds its messages in memory. */
  inFlightMax: 64,
  /** Entries of one read, of one page of pending entries and of one plan: with messages of 4 MiB it bounds what one reply brings. */
  readEntriesMax: 100,
  /** How long one read waits for new entries, milliseconds: a drain begins this much later at most. */
  blockMs: 1_000,
  /** Channel messages that wait for a request, and their bytes: beyond them new ones are dropped and counted. */
  channelMessagesMax: 10_000,
  channelBytesMax: 32 * 1024 * 1024,
  /** Bytes of a refused message that its dead letter keeps: enough to repair it; larger ones keep their size alone. */
  deadLetterBytesMax: 64 * 1024,
  /** Characters of a reason in a dead letter. */
  reasonCharactersMax: 300,
  /** One request to the API, milliseconds: a 202 takes tens of them. */
  requestTimeoutMs: 60_000,
  /** First wait after a failure, and the longest, milliseconds. */
  backoffFirstMs: 200,
  backoffMaxMs: 30_000,
  /** Longest `Retry-After` that is honoured, milliseconds: a server that asks for more is asked again after this. */
  retryAfterMsMax: 10 * MINUTE_MS,
  /** Pause between attempts at Redis: shorter than at the API, since a restart takes a second. Milliseconds. */
  redisBackoffMaxMs: 5_000,
} as const;
