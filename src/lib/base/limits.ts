/**
 * Every bound of the system that is our own choice or a platform's rule, with its unit in the name and its reason here.
 * Decoders, loops and lists take theirs from this table as an argument.
 */
import { DAY_MS } from "./durations.ts";

export const LIMITS = {
  /** Cloudflare accepts 100 MB bodies on the smallest plan; an isolate has 128 MB for everything. Compressed bytes. */
  requestBytesMax: 16 * 1024 * 1024,
  /**
   * Bytes after decompression. An isolate has 128 MB, and at the worst (one character beyond Latin-1 makes V8 keep two bytes for each) the
   * bytes (1×), their text (2×) and the parsed documents (2×) are alive together: 80 MB, with room for the runtime and other requests.
   */
  decompressedBytesMax: 16 * 1024 * 1024,
  /** Ingest requests that one isolate works on at once: each waits for R2 for some 50 ms, so that this is two thousand a second; beyond it waiting is all that grows. */
  ingestRequestsInHandMax: 128,
  /** Bytes of their bodies, as announced: of ASCII text the bytes, their text and the parsed documents (1× each) are alive together, 96 MB of an isolate's 128. */
  ingestBytesInHandMax: 32 * 1024 * 1024,
  /** Documents of one request: one row each in one receipts insert, one entry each in one reply. */
  requestDocumentsMax: 1000,
  /** UTF-8 bytes of one document's text: about 250 thousand tokens, the largest single transaction we commit. */
  documentBytesMax: 1024 * 1024,
  /** Nesting of a decoded body: a document is {documents:[{metadata:{key:[value]}}]}. */
  bodyDepthMax: 8,
  /** Keys of a metadata object; filters look at single keys. */
  metadataKeysMax: 64,
  /** UTF-8 bytes of a metadata object as JSON: it is stored with the document and returned with each hit. */
  metadataBytesMax: 8 * 1024,
  /** Characters of a document id, user id or source: they are key columns of b-trees (2,700 bytes at most). */
  identifierCharactersMax: 200,
  /** Characters of a title. */
  titleCharactersMax: 500,
  /** UTF-8 bytes of a title whose personal data is sealed: about 75 for each value, so a line of twenty addresses. */
  sealedTitleBytesMax: 2_000,
  /** UTF-8 bytes of metadata as JSON whose personal data is sealed; a WAL block has room for 32 KB around each text. */
  sealedMetadataBytesMax: 16 * 1024,
  /** Characters of what was said before an event, as its context: two turns of a conversation, or the ends of two long ones. */
  contextCharactersMax: 2_000,
  /** Characters of the name of a series of documents: a session or user id and a word of ours. */
  seriesCharactersMax: 300,
  /** Facts of one profile that hold now, and of one request: all of them travel in one reply, one transaction and one WAL object. */
  profileFactsMax: 200,
  /** Characters of a fact's key: its series is `profile/<user id>/<key>`, within `seriesCharactersMax`. */
  factKeyCharactersMax: 80,
  /** Characters of a fact's value: a fact is a sentence or two; what is longer is a document. */
  factValueCharactersMax: 2_000,
  /** Bytes of a body that changes a profile: `profileFactsMax` values of three bytes a character, with their keys. */
  profileBodyBytesMax: 2 * 1024 * 1024,
  /** Characters of a session id: its events are documents named `<session_id>/<seq>`, within `identifierCharactersMax`. */
  sessionIdCharactersMax: 180,
  /** Bytes of one frame as it travels: a message of a conversation, not a document. */
  frameBytesMax: 256 * 1024,
  /** Frames of one request or WebSocket message, and bytes of them after decompression: an RPC carries 32 MiB, with two bytes for each character. */
  requestFramesMax: 1_000,
  requestFrameBytesMax: 4 * 1024 * 1024,
  /** Bytes of one event as its log and its segment hold it: a row of the log has 2 MB, and redaction may have made the text longer. */
  storedEventBytesMax: 1_800_000,
  /** Keys of a frame's metadata: session, seq, role and speaker come to them as metadata of the document. */
  frameMetadataKeysMax: 60,
  /** Characters of an Idempotency-Key, as at Stripe. */
  idempotencyKeyCharactersMax: 255,
  /** UTF-8 bytes of text in one range of a WAL object, that is in one queue message and one transaction (about 16 thousand tokens). */
  rangeTextBytesMax: 64 * 1024,
  /** Documents of one range: bounds the statement parameters of one transaction when the documents are tiny. */
  rangeDocumentsMax: 100,
  /** Messages of one sendBatch (Cloudflare Queues). */
  queueSendBatchMax: 100,
  /** Bytes of all messages of one sendBatch: 256 KB at Cloudflare Queues, with room for metadata. */
  queueSendBatchBytesMax: 200_000,
  /** Results of one search. */
  searchResultsMax: 100,
  /** Turns on either side of an event that a search brings with it: with the most results that is a thousand rows by key. */
  neighboursMax: 5,
  /** Characters of a search query: longer ones are documents. */
  queryCharactersMax: 2_000,
  /** Milliseconds that a search may wait for its own write. */
  searchWaitMsMax: 30_000,
  /** Tokens that may be waited for in one search. */
  searchTokensMax: 32,
  /** Rows of one page of any list. */
  pageRowsMax: 500,
  /** Earliest accepted occurred_at, milliseconds: 1500-01-01. Earlier ones are typing errors in every corpus seen. */
  occurredAtMsMin: -14_831_769_600_000,
  /** How far occurred_at may lie in the future, milliseconds: clocks of clients are wrong by time zones, not by more. */
  occurredAtAheadMsMax: DAY_MS,
} as const;

/**
 * Added to every `maxOutputLength` of node:zlib, the true length being checked after. workerd counts the output buffers it
 * allocates, not the bytes it wrote: 41,357 bytes were refused under a limit of 74,125 and taken under 106,893 (2026-11).
 */
export const ZLIB_OUTPUT_SLACK_BYTES = 128 * 1024;
