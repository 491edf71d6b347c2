/** Fills the vectors that the documents of a tenant lack under one model. */
import { LIMITS } from "../../base/limits.ts";
import { err, ok, type Result } from "../../base/result.ts";
import {
  adoptDocuments,
  pageEndRowSchema,
  rowCountSchema,
  selectUnembedded,
  type UnembeddedRow,
  unembeddedRowSchema,
} from "../../db/queries/reembed.ts";
import { embedDocuments } from "../indexing/embed-documents.ts";
import type { FillContext, FillError, FillTally, FillTarget, ReadableDocument, RefusedDocument } from "./filling.ts";
import { readReembedded } from "./read-reembedded.ts";
import { writeFilled } from "./write-filled.ts";

/** Documents of one look at the store: about 20 ms where nothing is missing. */
const PAGE_ROWS = 1_000;
/** Documents that are made the active model's own by one statement. */
const ADOPTED_ROWS = 500;
/** What a healthy server embeds under any model. */
const PROBE_TEXT = "a probe";

/**
 * Embeds what lacks vectors of the model, in units as large as a range of a WAL object, each one transaction; then makes the active model's rows the
 * documents' own. True: nothing is left. Safe beside itself and beside everything that changes documents.
 */
export async function embedMissing(
  context: FillContext,
  target: FillTarget,
  { tally, isSpent }: { readonly tally: FillTally; readonly isSpent: () => boolean },
): Promise<Result<boolean, FillError>> {
  const { tenantId, model, isActive } = target;
  const scope = { tenantId, userId: "*" };
  let afterUid = "";
  for (;;) {
    if (isSpent()) return ok(false);
    const page = selectUnembedded({ tenantId, modelId: model.modelId }, { isActive, afterUid, rowsMax: PAGE_ROWS });
    const read = await context.sql.transaction(scope, page, { readOnly: true, isolation: "RepeatableRead" });
    if (!read.ok) return read;
    const [[end] = [], missing = []] = read.value;
    const { last_uid: lastUid, row_count: rowCount } = pageEndRowSchema.parse(end);
    const rows = missing.map((row) => unembeddedRowSchema.parse(row));
    for (const unit of unitsOf(rows)) {
      if (isSpent()) return ok(false);
      const filled = await fillUnit(context, target, { rows: unit, tally });
      if (!filled.ok) return filled;
    }
    if (lastUid === null || rowCount < PAGE_ROWS) break;
    afterUid = lastUid;
  }
  return isActive ? adoptAll(context, target, isSpent) : ok(true);
}

/** Rows in order, cut where a unit would have more text or documents than a range of a WAL object. */
function unitsOf(rows: readonly UnembeddedRow[]): readonly (readonly UnembeddedRow[])[] {
  const units: UnembeddedRow[][] = [];
  let characters = 0;
  for (const row of rows) {
    const last = units.at(-1);
    characters += row.character_count;
    if (last === undefined || characters > LIMITS.rangeTextBytesMax || last.length >= LIMITS.rangeDocumentsMax) {
      units.push([row]);
      characters = row.character_count;
    } else last.push(row);
  }
  return units;
}

interface Unit {
  readonly rows: readonly UnembeddedRow[];
  readonly tally: FillTally;
}

async function fillUnit(
  context: FillContext,
  target: FillTarget,
  { rows, tally }: Unit,
): Promise<Result<void, FillError>> {
  const read = await readReembedded(context, rows);
  if (!read.ok) return read;
  return fillRead(context, target, { ...read.value, tally });
}

interface ReadUnit {
  readonly readable: readonly ReadableDocument[];
  readonly refused: readonly RefusedDocument[];
  readonly tally: FillTally;
}

async function fillRead(
  context: FillContext,
  target: FillTarget,
  { readable, refused, tally }: ReadUnit,
): Promise<Result<void, FillError>> {
  const startedMs = context.clock();
  const embedded = await embedDocuments(context, { ...target, documents: readable });
  const embedMs = context.clock() - startedMs;
  if (embedded.ok) {
    const written = await writeFilled(context.sql, target, { embedded: embedded.value, refused, embedMs });
    if (!written.ok) return written;
    add(tally, { ...written.value, embedMs });
    return ok(undefined);
  }
  const { code } = embedded.error;
  const [first, ...others] = readable;
  if (first === undefined || !(await isTextAtFault(context, target, code))) return err({ code });
  // A text that a server dies of is found by halving, as one that it refuses is.
  if (others.length === 0)
    return fillRead(context, target, { readable: [], refused: [...refused, { row: first.row, code }], tally });
  const middle = readable.length >> 1;
  const left = await fillRead(context, target, { readable: readable.slice(0, middle), refused, tally });
  return left.ok ? fillRead(context, target, { readable: readable.slice(middle), refused: [], tally }) : left;
}

/** Whether a server that failed answers another text. */
async function isTextAtFault(context: FillContext, { model }: FillTarget, code: string): Promise<boolean> {
  if (code !== "embedder_unavailable" && code !== "embedder_timeout") return false;
  const { fingerprint } = model;
  const probe = await context.embedder.embed([model.documentPrefix + PROBE_TEXT], { lane: "bulk", fingerprint });
  return probe.ok;
}

function add(tally: FillTally, done: FillTally): void {
  tally.documentCount += done.documentCount;
  tally.chunkCount += done.chunkCount;
  tally.tokenCount += done.tokenCount;
  tally.refusedCount += done.refusedCount;
  tally.changedCount += done.changedCount;
  tally.embedMs += done.embedMs;
}

async function adoptAll(
  context: FillContext,
  { tenantId, model }: FillTarget,
  isSpent: () => boolean,
): Promise<Result<boolean, FillError>> {
  for (;;) {
    if (isSpent()) return ok(false);
    const adopted = await context.sql.transaction({ tenantId, userId: "*" }, [
      adoptDocuments({ tenantId, modelId: model.modelId }, ADOPTED_ROWS),
    ]);
    if (!adopted.ok) return adopted;
    if (rowCountSchema.parse(adopted.value[0]?.[0]).row_count < ADOPTED_ROWS) return ok(true);
  }
}
