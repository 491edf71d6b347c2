/** Documents and chunks of one tenant, in the shape that the consumer writes: most text in documents, a quarter in events, some summaries. */
import { documentUid, versionKey } from "../../src/lib/base/document-uid.ts";
import { DAY_MS } from "../../src/lib/base/durations.ts";
import { eventDocumentId } from "../../src/lib/session/stored-event.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import type { SyntheticText, TextSource } from "./synthetic-text.ts";
import type { VectorSource } from "./synthetic-vectors.ts";
import type { PlannedTenant } from "./tenant-plan.ts";

const CHUNKS_OF_DOC = 8;
const WORDS_OF_CHUNK = { doc: 60, event: 18, summary: 40 } as const;
/** Shares of documents (not chunks): of 1,000 chunks about 700 are of documents, 250 events, 50 summaries. */
const EVENT_SHARE = 0.645;
const SUMMARY_SHARE = 0.129;
const USER_COUNT = 20;
export const SOURCE_COUNT = 200;
const DOCUMENTS_OF_WAL_OBJECT = 100;
const WAL_OBJECTS_OF_BATCH = 10;
/** Time that the documents of a tenant are spread over. */
const START_MS = Date.UTC(2023, 0, 1);
const SPAN_MS = 3 * 365 * DAY_MS;

type SyntheticTier = keyof typeof WORDS_OF_CHUNK;

export interface SyntheticDocument {
  readonly documentUid: string;
  readonly documentId: string;
  readonly userId: string;
  readonly tier: SyntheticTier;
  readonly source: string;
  readonly metadata: Readonly<Record<string, string | number>>;
  readonly walId: string;
  readonly documentIndex: number;
  readonly versionKey: string;
  readonly batchTag: string;
  readonly occurredAtMs: number;
  readonly chunks: readonly SyntheticText[];
}

export interface RowSources {
  readonly texts: TextSource;
  readonly vectors: VectorSource;
}

/** Id of a tenant's n-th WAL object; only its order matters, as of a ULID. */
function walIdOf(number: number): string {
  return `01${String(number).padStart(24, "0")}`;
}

function batchTagOf(number: number): string {
  return `batch-${number}`;
}

/** The documents of a tenant, one after the other, until their chunks are as many as planned. The same every time. */
export function* documentsOf(tenant: PlannedTenant, texts: TextSource): Generator<SyntheticDocument> {
  const random = new SeededRandom(seedOf(tenant.tenantId));
  let chunksLeft = tenant.chunkCount;
  for (let number = 0; chunksLeft > 0; number += 1) {
    const tier = tierOf(random.next());
    const chunkCount = tier === "doc" ? Math.min(CHUNKS_OF_DOC, chunksLeft) : 1;
    chunksLeft -= chunkCount;
    const share = 1 - chunksLeft / tenant.chunkCount;
    // Half of a tenant is shared; of the rest the first users have most.
    const userId = random.next() < 0.5 ? "" : `user-${Math.floor(USER_COUNT * random.next() ** 2)}`;
    const walNumber = Math.floor(number / DOCUMENTS_OF_WAL_OBJECT);
    const documentIndex = number % DOCUMENTS_OF_WAL_OBJECT;
    const walId = walIdOf(walNumber);
    const documentId =
      tier === "event" ? eventDocumentId(`session-${walNumber}`, documentIndex + 1) : `document-${number}`;
    yield {
      documentUid: documentUid({ tenantId: tenant.tenantId, userId, tier, documentId }),
      documentId,
      userId,
      tier,
      source: `source-${Math.floor(SOURCE_COUNT * random.next() ** 3)}`,
      metadata: { topic: `topic-${random.below(500)}`, number },
      walId,
      documentIndex,
      versionKey: versionKey(walId, documentIndex),
      batchTag: batchTagOf(Math.floor(walNumber / WAL_OBJECTS_OF_BATCH)),
      occurredAtMs: Math.floor(START_MS + share * SPAN_MS),
      chunks: Array.from({ length: chunkCount }, () => texts.next(random, WORDS_OF_CHUNK[tier])),
    };
  }
}

function tierOf(drawn: number): SyntheticTier {
  if (drawn < EVENT_SHARE) return "event";
  return drawn < EVENT_SHARE + SUMMARY_SHARE ? "summary" : "doc";
}

function seedOf(name: string): number {
  let seed = 17;
  for (const character of name) seed = (Math.imul(seed, 31) + character.charCodeAt(0)) >>> 0;
  return seed;
}
