import { documentUid } from "../../base/document-uid.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import type { Neighbour } from "../../contract/search.ts";
import { type NeighbourRow, neighbourRowSchema, selectNeighbours } from "../../db/queries/search-neighbours.ts";
import type { Scope, Sql } from "../../db/sql.ts";
import type { RankedHit } from "../../retrieve/candidate.ts";
import { eventDocumentId } from "../../session/stored-event.ts";
import { ownRows } from "../own-rows.ts";
import { problemOfSql } from "../problem-of.ts";
import type { SearchCandidate } from "./ranking-candidate.ts";

/** A read by keys that takes longer than this is stuck, milliseconds. */
const NEIGHBOURS_TIMEOUT_MS = 5_000;

export interface NeighbourRequest {
  readonly scope: Scope;
  readonly modelId: number;
  readonly hits: readonly RankedHit<SearchCandidate>[];
  /** Turns on either side, 1 or more. */
  readonly reach: number;
  readonly asOf: string | undefined;
}

/** Neighbours of each event of a session, by the key of its candidate. */
export type Neighbours = ReadonlyMap<string, readonly Neighbour[]>;

interface Place {
  readonly uid: string;
  readonly seq: number;
}

/**
 * The turns beside each event that was found, in one round trip by keys: an event's document id is made of its session and seq. Turns that are not
 * there (refused, duplicates, erased, later than `asOf`) are left out. At most 2 · reach rows for a hit.
 */
export async function findNeighbours(sql: Sql, request: NeighbourRequest): Promise<Result<Neighbours, Problem>> {
  const places = new Map(request.hits.map(({ candidate }) => [candidate.key, placesBeside(candidate, request.reach)]));
  const documentUids = [...new Set([...places.values()].flat().map(({ uid }) => uid))];
  if (documentUids.length === 0) return ok(new Map());
  const { scope, modelId, asOf } = request;
  const read = await sql.transaction(scope, [selectNeighbours({ scope, modelId, documentUids, asOf })], {
    readOnly: true,
    timeoutMs: NEIGHBOURS_TIMEOUT_MS,
  });
  if (!read.ok) return err(problemOfSql(read.error));
  const own = ownRows(
    "search",
    scope,
    (read.value[0] ?? []).map((row) => neighbourRowSchema.parse(row)),
  );
  if (!own.ok) return own;
  const found = new Map(own.value.map((row) => [row.document_uid, row]));
  const neighboursAt = (beside: readonly Place[]): Neighbour[] =>
    beside.flatMap(({ uid, seq }) => {
      const row = found.get(uid);
      return row === undefined ? [] : [neighbourOf(row, seq)];
    });
  return ok(new Map([...places].map(([key, beside]) => [key, neighboursAt(beside)])));
}

function placesBeside({ turn, row }: SearchCandidate, reach: number): Place[] {
  const sessionId = row.metadata["session_id"];
  // An event whose id is not made of its place has no neighbours that could be found by theirs.
  if (turn === null || typeof sessionId !== "string" || row.document_id !== eventDocumentId(sessionId, turn.seq))
    return [];
  return Array.from({ length: 2 * reach + 1 }, (_, index) => turn.seq - reach + index)
    .filter((seq) => seq >= 1 && seq !== turn.seq)
    .map((seq) => ({ seq, uid: uidOf(row, eventDocumentId(sessionId, seq)) }));
}

function uidOf(row: SearchCandidate["row"], documentId: string): string {
  return documentUid({ tenantId: row.tenant_id, userId: row.user_id, tier: "event", documentId });
}

function neighbourOf(row: NeighbourRow, seq: number): Neighbour {
  const { speaker } = row.metadata;
  return {
    seq,
    document_id: row.document_id,
    speaker: typeof speaker === "string" ? speaker : null,
    text: row.text,
    is_whole: row.chunk_count === 1,
    occurred_at: row.occurred_at_ms === null ? null : new Date(row.occurred_at_ms).toISOString(),
  };
}
