/** What the public API shows to those who may ask, and to those who may not. */
import { ApiClient } from "../../../src/cli/api-client.ts";
import { batchStatusSchema } from "../../../src/lib/contract/batch.ts";
import { receiptSchema } from "../../../src/lib/contract/receipt.ts";
import { searchReplySchema } from "../../../src/lib/contract/search.ts";
import type { SeededRandom } from "../../support/seeded-random.ts";
import { toldDocuments } from "../invariants.ts";
import type { Proof, Search, SeenBatch, SeenByClients, SeenObject, SegmentEvent } from "../seen.ts";
import type { Owner, Told, ToldDocument } from "../told.ts";
import { OWNERS } from "../workload/workload.ts";
import type { Talked } from "../workload/talker.ts";
import { readSegments } from "./read-segments.ts";

export interface ServiceToAsk {
  readonly url: string;
  readonly keys: ReadonlyMap<string, string>;
  readonly random: SeededRandom;
}

export interface Asked {
  readonly told: Told;
  /** Objects whose receipts are to be proved. */
  readonly objects: readonly SeenObject[];
  readonly talked: readonly Talked[];
}

const ASKED_AT_ONCE = 6;
/** Documents of one recount that are searched for; each is an embedding and a query. Rows of the others are counted by the store's recount. */
const SEARCHED_MAX = 40;
/** Of those, asked for also by every owner that may not see them. */
const FOREIGN_MAX = 15;
const HITS = 10;

export async function askService(service: ServiceToAsk, { told, objects, talked }: Asked): Promise<SeenByClients> {
  const events: SegmentEvent[] = [];
  for (const each of talked) {
    // Segments that cannot be read are segments without their events.
    events.push(...(await readSegments(service.url, keyOf(service, each.session), each).catch(() => [])));
  }
  const documents = service.random.shuffled(toldDocuments(told)).slice(0, SEARCHED_MAX);
  const strangers = documents
    .slice(0, FOREIGN_MAX)
    .flatMap((document) => OWNERS.filter((asker) => !maySee(asker, document)).map((asker) => ({ asker, document })));
  const own = documents.map((document) => ({ asker: document, document }));
  const names = new Map(told.requests.map((request) => [`${request.tenantId}/${request.batchTag}`, request]));
  return {
    events,
    proofs: await atOnce(objects.flatMap(receiptNames), (name) => prove(service, name)),
    searches: await atOnce([...own, ...strangers], (ask) => search(service, ask)),
    batches: await atOnce([...names.values()], (name) => readBatch(service, name)),
  };
}

function maySee(asker: Owner, { tenantId, userId }: Owner): boolean {
  return asker.tenantId === tenantId && (userId === "" || userId === asker.userId);
}

function keyOf({ keys }: ServiceToAsk, { tenantId }: Pick<Owner, "tenantId">): string {
  return keys.get(tenantId) ?? "";
}

interface ReceiptName {
  readonly tenantId: string;
  readonly receiptId: string;
}

function receiptNames({ tenantId, walId, inputs }: SeenObject): readonly ReceiptName[] {
  return inputs.map(({ documentIndex }) => ({ tenantId, receiptId: `${walId}-${documentIndex}` }));
}

async function prove(service: ServiceToAsk, { tenantId, receiptId }: ReceiptName): Promise<Proof> {
  const api = new ApiClient(service.url, keyOf(service, { tenantId }));
  const receipt = await api.json(receiptSchema, { path: `/v1/receipts/${receiptId}?verify=1` }).catch(() => undefined);
  return {
    tenantId,
    receiptId,
    outcome: receipt?.outcome ?? null,
    holds: receipt?.proof?.holds ?? null,
    failedChunkCount: receipt?.chunk_failed_count ?? 0,
  };
}

async function search(
  service: ServiceToAsk,
  { asker, document }: { readonly asker: Owner; readonly document: ToldDocument },
): Promise<Search> {
  const api = new ApiClient(service.url, keyOf(service, asker));
  const expected = maySee(asker, document) ? document.documentId : null;
  const json = {
    query: document.text,
    k: HITS,
    ...(asker.userId === "" ? {} : { user_id: asker.userId }),
    // A text that says "today" ranks events of today before itself: how answers are ranked is not the question here.
    ...(expected === null ? {} : { tiers: ["doc"] }),
  };
  const asked = { asker: { tenantId: asker.tenantId, userId: asker.userId }, expected };
  try {
    const reply = await api.json(searchReplySchema, { method: "POST", path: "/v1/search", json });
    return { ...asked, foundIds: reply.hits.map((hit) => hit.document_id), failure: null };
  } catch (error) {
    return { ...asked, foundIds: [], failure: messageOf(error) };
  }
}

async function readBatch(
  service: ServiceToAsk,
  { tenantId, batchTag }: Pick<SeenBatch, "tenantId" | "batchTag">,
): Promise<SeenBatch> {
  const api = new ApiClient(service.url, keyOf(service, { tenantId }));
  try {
    const status = await api.json(batchStatusSchema, { path: `/v1/batches/${batchTag}` });
    return { tenantId, batchTag, state: status.state, pendingCount: status.pending_count };
  } catch (error) {
    return { tenantId, batchTag, state: messageOf(error), pendingCount: 0 };
  }
}

/** A recount goes on where an answer is a failure: that is what it is there to see. */
function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Answers in the order of the questions. */
async function atOnce<Q, A>(questions: readonly Q[], ask: (question: Q) => Promise<A>): Promise<A[]> {
  const answers: A[] = [];
  const waiting = questions.entries();
  const askNext = async (): Promise<void> => {
    for (const [index, question] of waiting) answers[index] = await ask(question);
  };
  await Promise.all(Array.from({ length: ASKED_AT_ONCE }, askNext));
  return answers;
}
