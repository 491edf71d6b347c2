/** What has to hold when all is quiet. Pure: what was promised against what was seen; nothing here asks a system. */
import type { LedgerRow, ReceiptRow, SeenByClients, SeenInStore, SeenInput, SeenObject } from "./seen.ts";
import type { Owner, Told, ToldDocument, ToldRequest } from "./told.ts";

export const INVARIANTS = [
  "accepted_is_recoverable",
  "acked_is_in_one_segment",
  "queue_is_drained",
  "one_effect_per_key",
  "receipts_are_whole",
  "counts_agree",
  "receipts_can_be_proved",
  "accepted_is_searchable",
  "no_foreign_row",
] as const;
export type Invariant = (typeof INVARIANTS)[number];

export interface Violation {
  readonly invariant: Invariant;
  /** Ids that lead to it. */
  readonly subject: string;
  readonly detail: string;
}

/** Of R2 and Postgres together. */
export function storeViolations(told: Told, seen: SeenInStore): readonly Violation[] {
  return [
    ...recoverable(told, seen.objects),
    ...drained(seen),
    ...oneEffect(told, seen),
    ...wholeReceipts(told, seen),
    ...agreeingCounts(seen),
  ];
}

/** Of what the public API shows; `objects` say who owns what. */
export function clientViolations(
  told: Told,
  seen: SeenByClients,
  objects: readonly SeenObject[],
): readonly Violation[] {
  return [
    ...inOneSegment(told, seen),
    ...proved(seen),
    ...finished(seen),
    ...searchable(seen),
    ...foreign(seen, objects),
  ];
}

type Found = (subject: string, detail: string) => Violation;
const of =
  (invariant: Invariant): Found =>
  (subject, detail) => ({ invariant, subject, detail });

/** Every accepted input lies in the WAL object that its token names, as it was sent. */
function recoverable(told: Told, objects: readonly SeenObject[]): readonly Violation[] {
  const violation = of("accepted_is_recoverable");
  const byId = new Map(objects.map((object) => [`${object.tenantId}/${object.walId}`, object]));
  const inputsOf = inputsByDocument(objects);
  const requests = told.requests.flatMap((request) => {
    const walId = request.replies[0]?.token ?? "";
    const object = byId.get(`${request.tenantId}/${walId}`);
    if (object === undefined)
      return [violation(`${request.tenantId}/${walId}`, "accepted, and there is no WAL object")];
    return acceptedOf(request).flatMap((document) => {
      const there = object.inputs.some((input) => isSame(input, document));
      return there ? [] : [violation(nameOf(document), `accepted, and not in its WAL object ${walId} as it was sent`)];
    });
  });
  const entries = told.entries.flatMap((document) => {
    const inputs = inputsOf.get(nameOf(document)) ?? [];
    return inputs.some((input) => isSame(input, document))
      ? []
      : [violation(nameOf(document), "Redis took its entry, and there is no WAL object with it")];
  });
  return [...requests, ...entries];
}

/** Each range has one row, none of them dead; no row is of a range that nobody accepted. */
function drained({ objects, ledger }: SeenInStore): readonly Violation[] {
  const violation = of("queue_is_drained");
  const rows = Map.groupBy(ledger, ({ tenantId, walId }) => `${tenantId}/${walId}`);
  const known = new Set(objects.map(({ tenantId, walId }) => `${tenantId}/${walId}`));
  const ranges = objects.flatMap(({ tenantId, walId, rangeCount }) =>
    Array.from({ length: rangeCount }, (_, rangeIndex) => {
      const states = statesOf(rows.get(`${tenantId}/${walId}`) ?? [], rangeIndex);
      return states === "applied" ? [] : [violation(`${tenantId}/${walId}#${rangeIndex}`, states || "not applied")];
    }).flat(),
  );
  const rowsOfNothing = [...rows.keys()].filter((key) => !known.has(key));
  return [...ranges, ...rowsOfNothing.map((key) => violation(key, "a ledger row without its WAL object"))];
}

function statesOf(rows: readonly LedgerRow[], rangeIndex: number): string {
  return rows
    .filter((row) => row.rangeIndex === rangeIndex)
    .map(({ state }) => state)
    .join("+");
}

/** The same reply whenever a key was sent again, one WAL object with each document, one row of it. */
function oneEffect(told: Told, { objects, documents }: SeenInStore): readonly Violation[] {
  const violation = of("one_effect_per_key");
  const inputsOf = inputsByDocument(objects);
  const rowsOf = Map.groupBy(documents, (row) => nameOf(row));
  const replies = told.requests.flatMap(({ tenantId, key, replies: all }) =>
    new Set(all.map((reply) => JSON.stringify(reply))).size === 1
      ? []
      : [violation(`${tenantId}/${key}`, `${all.length} replies to one key differ`)],
  );
  const effects = toldDocuments(told).flatMap((document) => {
    const [objectCount, rowCount] = [inputsOf.get(nameOf(document)), rowsOf.get(nameOf(document))].map(
      (found) => found?.length ?? 0,
    );
    return [
      ...(objectCount !== undefined && objectCount > 1
        ? [violation(nameOf(document), `in ${objectCount} WAL objects`)]
        : []),
      ...(rowCount === 1 ? [] : [violation(nameOf(document), `${rowCount} rows of the document`)]),
    ];
  });
  return [...replies, ...effects];
}

/** One receipt for each input, and what was accepted by a client ended as indexed. */
function wholeReceipts(told: Told, { objects, receipts }: SeenInStore): readonly Violation[] {
  const violation = of("receipts_are_whole");
  const rows = Map.groupBy(receipts, (row) => receiptName(row));
  const mine = new Set(toldDocuments(told).map((document) => nameOf(document)));
  const known = new Set(objects.flatMap(({ inputs }) => inputs.map((input) => receiptName(input))));
  const inputs = objects.flatMap((object) =>
    object.inputs.flatMap((input) => {
      const found = rows.get(receiptName(input)) ?? [];
      if (found.length !== 1) return [violation(receiptName(input), `${found.length} receipts`)];
      const outcome = found[0]?.outcome ?? "";
      return outcome === "failed" || (mine.has(nameOf(input)) && outcome !== "indexed")
        ? [violation(receiptName(input), `${nameOf(input)} ended as ${outcome}`)]
        : [];
    }),
  );
  const ofNothing = [...rows.keys()].filter((name) => !known.has(name));
  return [...inputs, ...ofNothing.map((name) => violation(name, "a receipt of nothing that was accepted"))];
}

/** Counters of each batch are the counts of its receipts, and documents have the chunks that they say. */
function agreeingCounts({ batches, receipts, documents }: SeenInStore): readonly Violation[] {
  const violation = of("counts_agree");
  const receiptsOf = Map.groupBy(receipts, ({ tenantId, batchTag }) => `${tenantId}/${batchTag}`);
  const counted = new Map(batches.map((batch) => [`${batch.tenantId}/${batch.batchTag}`, batch]));
  const wrong = [...new Set([...receiptsOf.keys(), ...counted.keys()])].flatMap((key) => {
    const batch = counted.get(key);
    const said = countsText(batch?.outcomes ?? {}, batch?.chunkCount ?? 0);
    const true_ = countsOf(receiptsOf.get(key) ?? []);
    return said === true_ ? [] : [violation(key, `the batch says ${said}, its receipts ${true_}`)];
  });
  const chunks = documents
    .filter((row) => row.storedCount !== row.chunkCount || row.staleCount !== 0)
    .map((row) =>
      violation(nameOf(row), `${row.chunkCount} chunks by its row, ${row.storedCount} stored, ${row.staleCount} stale`),
    );
  return [...wrong, ...chunks];
}

function countsOf(receipts: readonly ReceiptRow[]): string {
  const outcomes: Record<string, number> = {};
  for (const { outcome } of receipts) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  return countsText(
    outcomes,
    receipts.reduce((sum, { chunkCount }) => sum + chunkCount, 0),
  );
}

function countsText(outcomes: Readonly<Record<string, number>>, chunkCount: number): string {
  const parts = Object.entries(outcomes).filter(([, count]) => count > 0);
  return [...parts.map(([outcome, count]) => `${count} ${outcome}`).sort(), `${chunkCount} chunks`].join(", ");
}

/** Each acknowledged event stands once in the sealed segments of its session, as it was sent, and nothing else does. */
function inOneSegment(told: Told, { events }: SeenByClients): readonly Violation[] {
  const violation = of("acked_is_in_one_segment");
  const places = Map.groupBy(events, ({ tenantId, sessionId, seq }): string => `${tenantId}/${sessionId}/${seq}`);
  const acked = new Map<string, string>(
    told.sessions.flatMap(({ tenantId, sessionId, acked: texts }) =>
      [...texts].map(([seq, text]) => [`${tenantId}/${sessionId}/${seq}`, text] as const),
    ),
  );
  const lost = [...acked].flatMap(([name, text]) => {
    const found = places.get(name) ?? [];
    if (found.length !== 1) return [violation(name, `acknowledged, and ${found.length} times in segments`)];
    return found[0]?.text === text ? [] : [violation(name, "its text in the segment is not what was sent")];
  });
  const unknown = [...places.keys()].filter((name) => !acked.has(name));
  return [...lost, ...unknown.map((name) => violation(name, "in a segment, and was never acknowledged"))];
}

function proved({ proofs }: SeenByClients): readonly Violation[] {
  const violation = of("receipts_can_be_proved");
  return proofs.flatMap(({ tenantId, receiptId, outcome, holds, failedChunkCount }) => {
    const name = `${tenantId}/${receiptId}`;
    if (outcome === null) return [violation(name, "no receipt, or one without an end")];
    if (holds !== true) return [violation(name, `${outcome}, and its proof does not hold`)];
    return failedChunkCount === 0 ? [] : [violation(name, `${failedChunkCount} of its chunks failed`)];
  });
}

function finished({ batches }: SeenByClients): readonly Violation[] {
  const violation = of("counts_agree");
  return batches
    .filter(({ state, pendingCount }) => state !== "done" || pendingCount !== 0)
    .map(({ tenantId, batchTag, state, pendingCount }) =>
      violation(`${tenantId}/${batchTag}`, `the batch is ${state} with ${pendingCount} pending`),
    );
}

function searchable({ searches }: SeenByClients): readonly Violation[] {
  const violation = of("accepted_is_searchable");
  return searches.flatMap(({ asker, expected, foundIds, failure }) => {
    if (failure !== null) return [violation(`${asker.tenantId}/${asker.userId}`, failure)];
    return expected === null || foundIds.includes(expected)
      ? []
      : [violation(`${asker.tenantId}/${expected}`, `not among ${foundIds.length} hits of a search by its own text`)];
  });
}

/** Every hit is of the asker's tenant, and of its user or shared. */
function foreign({ searches }: SeenByClients, objects: readonly SeenObject[]): readonly Violation[] {
  const violation = of("no_foreign_row");
  const owned = new Set(objects.flatMap(({ inputs }) => inputs.map((input) => nameOf(input))));
  return searches.flatMap(({ asker, foundIds }) =>
    foundIds
      .filter((documentId) => ![asker.userId, ""].some((userId) => owned.has(nameOf({ ...asker, userId, documentId }))))
      .map((documentId) => violation(documentId, `shown to ${asker.tenantId}/${asker.userId}`)),
  );
}

/** Documents that have to be in the store: those that the gate let in, and those of the bridge. */
export function toldDocuments(told: Told): readonly ToldDocument[] {
  return [...told.requests.flatMap(acceptedOf), ...told.entries];
}

function acceptedOf({ documents, replies }: ToldRequest): readonly ToldDocument[] {
  const receipts = replies[0]?.receipts ?? [];
  return documents.filter((_, index) => receipts[index]?.status === "accepted");
}

function inputsByDocument(objects: readonly SeenObject[]): Map<string, SeenInput[]> {
  return Map.groupBy(
    objects.flatMap(({ inputs }) => inputs),
    (input) => nameOf(input),
  );
}

function isSame(input: SeenInput, document: ToldDocument): boolean {
  return nameOf(input) === nameOf(document) && input.text === document.text;
}

function nameOf({ tenantId, userId, documentId }: Owner & { readonly documentId: string }): string {
  return `${tenantId}/${userId}/${documentId}`;
}

function receiptName(receipt: {
  readonly tenantId: string;
  readonly walId: string;
  readonly documentIndex: number;
}): string {
  return `${receipt.tenantId}/${receipt.walId}-${receipt.documentIndex}`;
}
