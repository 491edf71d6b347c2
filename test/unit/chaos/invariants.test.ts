import { describe, expect, it } from "vitest";
import { clientViolations, INVARIANTS, storeViolations, type Violation } from "../../chaos/invariants.ts";
import type { SeenByClients, SeenInStore, SeenObject } from "../../chaos/seen.ts";
import type { Told, ToldDocument } from "../../chaos/told.ts";

const WAL = "01M80000000000000000000001";
const BRIDGE_WAL = "01M80000000000000000000002";
const north = { tenantId: "north", userId: "ann" };
const moon: ToldDocument = { ...north, documentId: "moon", text: "We choose to go to the moon." };
const entry: ToldDocument = { tenantId: "north", userId: "", documentId: "entry", text: "A trigger." };

interface World {
  told: Told;
  store: SeenInStore;
  clients: SeenByClients;
}

function objectOf(walId: string, batchTag: string, document: ToldDocument): SeenObject {
  return { tenantId: "north", walId, batchTag, rangeCount: 1, inputs: [{ ...document, walId, documentIndex: 0 }] };
}

/** One accepted request, one entry and one session, all of it well. */
function world(): World {
  const reply = {
    batch_tag: "batch",
    token: WAL,
    accepted: 1,
    duplicate: 0,
    quarantined: 0,
    rejected: 0,
    receipts: [{ id: `${WAL}-0`, index: 0, document_id: "moon", status: "accepted" as const, reasons: [] }],
  };
  const receipt = { tenantId: "north", documentIndex: 0, outcome: "indexed", chunkCount: 1 };
  const row = { chunkCount: 1, storedCount: 1, staleCount: 0 };
  const outcomes = { indexed: 1, duplicate: 0 };
  return {
    told: {
      requests: [{ tenantId: "north", key: "k", batchTag: "batch", documents: [moon], replies: [reply, { ...reply }] }],
      sessions: [{ ...north, sessionId: "talk", acked: new Map([[1, "Good evening."]]) }],
      entries: [entry],
    },
    store: {
      objects: [objectOf(WAL, "batch", moon), objectOf(BRIDGE_WAL, BRIDGE_WAL, entry)],
      ledger: [WAL, BRIDGE_WAL].map((walId) => ({ tenantId: "north", walId, rangeIndex: 0, state: "applied" })),
      receipts: [
        { ...receipt, walId: WAL, batchTag: "batch" },
        { ...receipt, walId: BRIDGE_WAL, batchTag: BRIDGE_WAL },
      ],
      batches: [
        { tenantId: "north", batchTag: "batch", outcomes, chunkCount: 1 },
        { tenantId: "north", batchTag: BRIDGE_WAL, outcomes, chunkCount: 1 },
      ],
      documents: [
        { ...north, documentId: "moon", ...row },
        { tenantId: "north", userId: "", documentId: "entry", ...row },
      ],
    },
    clients: {
      proofs: [
        { tenantId: "north", receiptId: `${WAL}-0`, outcome: "indexed", holds: true, failedChunkCount: 0 },
        { tenantId: "north", receiptId: `${BRIDGE_WAL}-0`, outcome: "indexed", holds: true, failedChunkCount: 0 },
      ],
      searches: [
        { asker: north, expected: "moon", foundIds: ["moon", "entry"], failure: null },
        { asker: { tenantId: "north", userId: "ben" }, expected: null, foundIds: ["entry"], failure: null },
      ],
      batches: [{ tenantId: "north", batchTag: "batch", state: "done", pendingCount: 0 }],
      events: [{ tenantId: "north", sessionId: "talk", seq: 1, text: "Good evening." }],
    },
  };
}

function violationsOf({ told, store, clients }: World): readonly Violation[] {
  return [...storeViolations(told, store), ...clientViolations(told, clients, store.objects)];
}

const names = (all: readonly Violation[]): string[] => [...new Set(all.map(({ invariant }) => invariant))].sort();

type Break = (good: World) => { store?: Partial<SeenInStore>; clients?: Partial<SeenByClients>; told?: Partial<Told> };

/** One thing that is wrong, and every promise that it breaks. */
const BREAKS: readonly (readonly [string, Break, readonly string[]])[] = [
  [
    "an accepted WAL object is gone",
    ({ store }) => ({ store: { objects: store.objects.slice(1) } }),
    ["accepted_is_recoverable", "queue_is_drained", "receipts_are_whole", "no_foreign_row"],
  ],
  [
    "a WAL object holds another text than was sent",
    ({ store }) => ({
      store: { objects: [objectOf(WAL, "batch", { ...moon, text: "Moon." }), ...store.objects.slice(1)] },
    }),
    ["accepted_is_recoverable"],
  ],
  [
    "an entry of the stream never came",
    ({ told }) => ({ told: { entries: [...told.entries, { ...entry, documentId: "lost" }] } }),
    ["accepted_is_recoverable", "one_effect_per_key"],
  ],
  ["a ledger row is gone", ({ store }) => ({ store: { ledger: store.ledger.slice(1) } }), ["queue_is_drained"]],
  [
    "a range is dead",
    ({ store }) => ({ store: { ledger: store.ledger.map((row) => ({ ...row, state: "dead" })) } }),
    ["queue_is_drained"],
  ],
  [
    "a range was applied twice",
    ({ store }) => ({ store: { ledger: [...store.ledger, ...store.ledger] } }),
    ["queue_is_drained"],
  ],
  [
    "an entry was accepted twice",
    ({ store }) => ({ store: { objects: [...store.objects, objectOf("01M80000000000000000000003", "b", entry)] } }),
    ["one_effect_per_key", "queue_is_drained", "receipts_are_whole"],
  ],
  [
    "a repeated key was answered otherwise",
    ({ told }) => ({
      told: {
        requests: told.requests.map((request) => ({
          ...request,
          replies: request.replies.map((reply, index) => ({ ...reply, accepted: index })),
        })),
      },
    }),
    ["one_effect_per_key"],
  ],
  [
    "a document has two rows",
    ({ store }) => ({ store: { documents: [...store.documents, ...store.documents.slice(0, 1)] } }),
    ["one_effect_per_key"],
  ],
  [
    "a chunk is missing",
    ({ store }) => ({ store: { documents: store.documents.map((row) => ({ ...row, storedCount: 0 })) } }),
    ["counts_agree"],
  ],
  [
    "a chunk of a former generation is left",
    ({ store }) => ({ store: { documents: store.documents.map((row) => ({ ...row, staleCount: 1 })) } }),
    ["counts_agree"],
  ],
  [
    "a receipt is missing",
    ({ store }) => ({ store: { receipts: store.receipts.slice(1) } }),
    ["counts_agree", "receipts_are_whole"],
  ],
  [
    "what was accepted ended as failed, and its batch says so",
    ({ store }) => ({
      store: {
        receipts: store.receipts.map((row) => ({ ...row, outcome: "failed" })),
        batches: store.batches.map((row) => ({ ...row, outcomes: { failed: 1 } })),
      },
    }),
    ["receipts_are_whole"],
  ],
  [
    "a batch counted an input twice",
    ({ store }) => ({ store: { batches: store.batches.map((row) => ({ ...row, outcomes: { indexed: 2 } })) } }),
    ["counts_agree"],
  ],
  [
    "a batch does not end",
    ({ clients }) => ({
      clients: { batches: clients.batches.map((batch) => ({ ...batch, state: "running", pendingCount: 1 })) },
    }),
    ["counts_agree"],
  ],
  ["an acknowledged event is in no segment", () => ({ clients: { events: [] } }), ["acked_is_in_one_segment"]],
  [
    "an event is in two segments",
    ({ clients }) => ({ clients: { events: [...clients.events, ...clients.events] } }),
    ["acked_is_in_one_segment"],
  ],
  [
    "an event in a segment is not what was sent",
    ({ clients }) => ({ clients: { events: clients.events.map((event) => ({ ...event, text: "Good morning." })) } }),
    ["acked_is_in_one_segment"],
  ],
  [
    "a proof does not hold",
    ({ clients }) => ({ clients: { proofs: clients.proofs.map((proof) => ({ ...proof, holds: false })) } }),
    ["receipts_can_be_proved"],
  ],
  [
    "a chunk of an indexed document failed",
    ({ clients }) => ({ clients: { proofs: clients.proofs.map((proof) => ({ ...proof, failedChunkCount: 1 })) } }),
    ["receipts_can_be_proved"],
  ],
  [
    "a search does not find a document by its own text",
    ({ clients }) => ({ clients: { searches: clients.searches.map((search) => ({ ...search, foundIds: [] })) } }),
    ["accepted_is_searchable"],
  ],
  [
    "a search fails",
    ({ clients }) => ({ clients: { searches: clients.searches.map((search) => ({ ...search, failure: "500" })) } }),
    ["accepted_is_searchable"],
  ],
  [
    "a stranger sees a user's document",
    () => ({
      clients: {
        searches: [{ asker: { tenantId: "north", userId: "ben" }, expected: null, foundIds: ["moon"], failure: null }],
      },
    }),
    ["no_foreign_row"],
  ],
];

describe("the recount", () => {
  it("finds nothing where everything holds", () => {
    expect(violationsOf(world())).toEqual([]);
  });

  it.each(BREAKS)("sees that %s", (_, breakIt, expected) => {
    const good = world();
    const { store, clients, told } = breakIt(good);
    const broken = {
      told: { ...good.told, ...told },
      store: { ...good.store, ...store },
      clients: { ...good.clients, ...clients },
    };
    expect(names(violationsOf(broken))).toEqual([...expected].sort());
  });

  it("has a case here for every invariant", () => {
    expect(new Set(BREAKS.flatMap(([, , expected]) => expected))).toEqual(new Set(INVARIANTS));
  });
});
