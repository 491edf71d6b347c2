/** A store in which everything is there that a check looks at, and ways to break each thing by itself. */
import { randomUUID } from "node:crypto";
import { HOUR_MS } from "../../../src/lib/base/durations.ts";
import { registerSegment } from "../../../src/lib/flows/sessions/register-segment.ts";
import { createMarker } from "../../../src/lib/flows/sessions/session-marker.ts";
import { writeReport } from "../../../src/lib/flows/batches/write-report.ts";
import { expectOk, statement } from "../../support/database.ts";
import { putSegment, talkFrames } from "./segments.ts";
import type { World } from "./world.ts";

export const FAULT_BATCH = "speeches";

/** A tenant with documents, a duplicate, a deletion, a quarantined input, a report and a conversation whose segment is registered. */
export async function populate(world: World, tenantId: string): Promise<void> {
  const texts = ["first token in the jet", "second wing over the sea", "third flow along the plate"];
  const documents = texts.map((words, index) => ({
    id: `d${index}`,
    text: `The ${words} is in the boundary layer, and it stays there until the ${words} is over.`,
    ...(index === 2 ? { user_id: "ann" } : {}),
  }));
  const spam = { id: "held", text: "win win win ".repeat(200) };
  const copy = { id: "copy", text: documents[0]?.text ?? "" };
  await world.ingest(tenantId, [...documents, spam], { batchTag: FAULT_BATCH });
  await world.indexQueued();
  await world.ingest(tenantId, [copy], { batchTag: "copies" });
  await world.indexQueued();
  const session = { tenantId, userId: "ann", sessionId: "talk" };
  const opened = { version: 1, source: "session", opened_at: new Date(world.nowMs).toISOString() } as const;
  expectOk(await createMarker(world.bucket, { ...opened, tenant_id: tenantId, user_id: "ann", session_id: "talk" }));
  const frames = talkFrames(1, 3);
  const events = frames.map(({ seq, text }) => ({
    id: `talk/${seq}`,
    text: `${text} So it was said.`,
    tier: "event" as const,
    user_id: "ann",
  }));
  await world.ingest(tenantId, events, { batchTag: "events" });
  await world.indexQueued();
  const message = await putSegment(world, session, frames, { first: 1, last: 3 });
  const seal = { ...world.context(), condense: undefined, noteFallback: () => undefined };
  expectOk(await registerSegment({ ...seal, noteRegistered: async () => undefined }, message, 1));
  await world.indexQueued();
  expectOk(await writeReport(world.context(), { tenantId, batchTag: FAULT_BATCH }));
  // Objects of now are settled.
  world.nowMs = Math.max(world.nowMs, Date.now() + 2 * HOUR_MS);
}

/** Does something to the rows of a tenant as the owner of the database. */
export async function plant(world: World, tenantId: string, text: string, ...params: unknown[]): Promise<void> {
  const scope = { tenantId, userId: "*" };
  expectOk(await world.database.ownerSql.transaction(scope, [statement(text, tenantId, ...params)]));
}

/** A copy of a chunk that hangs on another document, or on another generation of its own. */
export const copyChunk = (changes: { document_uid?: string; generation?: string }): string =>
  `insert into doc_embeddings select (jsonb_populate_record(e, '${JSON.stringify(changes)}'::jsonb)).* from doc_embeddings e
   where tenant_id = $1 and chunk_index = 0 limit 1`;

export const newUid = (): string => randomUUID();

export interface Fault {
  /** What the check has to find, each once. */
  readonly finds: string;
  /** Breaks it; the names that the finding has to have, where they are known. */
  readonly breakIt: (world: World, tenantId: string) => Promise<unknown>;
  /** What becomes of it when it is repaired. */
  readonly repair: "repaired" | "kept";
}

const document = (id: string): string =>
  `(select document_uid from documents where tenant_id = $1 and document_id = '${id}')`;
const sql =
  (text: string, ...params: unknown[]): Fault["breakIt"] =>
  (world, tenantId) =>
    plant(world, tenantId, text, ...params);
const put =
  (keyOf: (tenantId: string) => string): Fault["breakIt"] =>
  (world, tenantId) =>
    world.bucket.put(keyOf(tenantId), "not much");
const lose =
  (prefixOf: (tenantId: string) => string): Fault["breakIt"] =>
  async (world, tenantId) => {
    const listed = await world.bucket.list({ prefix: prefixOf(tenantId) });
    await world.bucket.delete(listed.objects.map(({ key }) => key));
  };
const segment = "(select artifact_id from artifacts where tenant_id = $1 and kind = 'segment')";

/** Every broken reference by itself. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  "a document whose chunks are gone": {
    finds: "document_without_chunks",
    breakIt: sql(`delete from doc_embeddings where tenant_id = $1 and document_uid = ${document("d0")}`),
    repair: "repaired",
  },
  "a WAL object that is gone": {
    finds: "document_without_text",
    breakIt: async (world, tenantId) => {
      const wal = `select distinct wal_key from documents where tenant_id = $1 and document_id = 'copy'`;
      for (const row of await world.rows(tenantId, wal, tenantId)) await world.bucket.delete(String(row["wal_key"]));
    },
    repair: "kept",
  },
  "a chunk of no document": {
    finds: "chunk_without_document",
    breakIt: (world, tenantId) => plant(world, tenantId, copyChunk({ document_uid: newUid() })),
    repair: "kept",
  },
  "a chunk of another version": {
    finds: "chunk_of_former_version",
    breakIt: sql(copyChunk({ generation: "99" })),
    repair: "repaired",
  },
  "a vector that says nothing": {
    finds: "chunk_without_vector",
    breakIt: async (world, tenantId) => {
      const [column] = await world.rows(
        tenantId,
        "select udt_name from information_schema.columns where table_name = 'doc_embeddings' and column_name = 'embedding'",
      );
      const empty = column?.["udt_name"] === "jsonb" ? "[]" : "[0,0,0,0,0,0,0,0]";
      const text = `update doc_embeddings set embedding = '${empty}' where tenant_id = $1 and document_uid = ${document("d1")}`;
      await plant(world, tenantId, text);
    },
    repair: "repaired",
  },
  "a member of no artifact": {
    finds: "member_without_artifact",
    breakIt: sql(
      `insert into artifact_members (tenant_id, artifact_id, position, document_uid) values ($1, 'nothing', 1, ${document("d0")})`,
    ),
    repair: "repaired",
  },
  "a member that is no document": {
    finds: "member_without_document",
    breakIt: sql(
      `insert into artifact_members (tenant_id, artifact_id, position, document_uid) values ($1, ${segment}, 99, $2)`,
      newUid(),
    ),
    repair: "kept",
  },
  "a receipt of no document": {
    finds: "receipt_without_document",
    breakIt: sql(`update receipts set document_uid = $2 where tenant_id = $1 and document_id = 'd0'`, newUid()),
    repair: "kept",
  },
  "an artifact without members": {
    finds: "artifact_without_members",
    breakIt: sql("delete from artifact_members where tenant_id = $1"),
    repair: "kept",
  },
  "a registered object that is gone": {
    finds: "artifact_without_object",
    breakIt: lose((tenantId) => `ingest_reports/${tenantId}/`),
    repair: "repaired",
  },
  "a registered object of another size": {
    finds: "artifact_of_other_bytes",
    breakIt: put((tenantId) => `ingest_reports/${tenantId}/${FAULT_BATCH}.json`),
    repair: "repaired",
  },
  "a held text whose object is gone": {
    finds: "held_without_object",
    breakIt: lose((tenantId) => `quarantine/${tenantId}/`),
    repair: "kept",
  },
  "a session without its marker": {
    finds: "session_without_marker",
    breakIt: lose((tenantId) => `sessions/${tenantId}/`),
    repair: "repaired",
  },
  "counters of a batch": {
    finds: "batch_counters",
    breakIt: sql(
      `update batches set token_count = token_count + 1 where tenant_id = $1 and batch_tag = '${FAULT_BATCH}'`,
    ),
    repair: "repaired",
  },
  "a ledger that counts other inputs": {
    finds: "batch_ledger",
    breakIt: sql(
      `update wal_ledger set document_count = document_count + 1 where tenant_id = $1 and batch_tag = '${FAULT_BATCH}'`,
    ),
    repair: "kept",
  },
  "statistics of a place": {
    finds: "scope_counters",
    breakIt: sql(
      "update scope_counts set chunk_count = chunk_count + 1 where tenant_id = $1 and user_id = '' and tier = 'doc'",
    ),
    repair: "repaired",
  },
  "statistics that are gone": {
    finds: "scope_counters",
    breakIt: sql("delete from scope_counts where tenant_id = $1 and user_id = 'ann' and tier = 'doc'"),
    repair: "repaired",
  },
  "a pack without a row": {
    finds: "pack_without_row",
    breakIt: put((tenantId) => `packs/${tenantId}/20260101T000000Z-1-01234567.mpz`),
    repair: "kept",
  },
  "a segment without a row": {
    finds: "segment_without_row",
    breakIt: put((tenantId) => `segments/${tenantId}/ann/other/000000000001-20260101T000000Z-1-01234567.seg`),
    repair: "kept",
  },
  "a summary beside no segment": {
    finds: "summary_without_segment",
    breakIt: put((tenantId) => `summaries/${tenantId}/ann/other/000000000001.json`),
    repair: "kept",
  },
  "a held text that no row lists": {
    finds: "held_object_without_row",
    breakIt: sql("delete from quarantine where tenant_id = $1"),
    repair: "kept",
  },
  "a report without a row": {
    finds: "report_without_row",
    breakIt: sql("delete from artifacts where tenant_id = $1 and kind = 'report'"),
    repair: "repaired",
  },
  "a report of no batch": {
    finds: "report_without_row",
    breakIt: put((tenantId) => `ingest_reports/${tenantId}/nobody.json`),
    repair: "repaired",
  },
  "a dictionary without a row": {
    finds: "dictionary_without_row",
    breakIt: put((tenantId) => `dictionaries/${tenantId}/0123456789abcdef.bin`),
    repair: "kept",
  },
  "a registered object of other bytes": {
    finds: "artifact_of_other_bytes",
    breakIt: async (world, tenantId) => {
      const text = "select object_key, size_bytes, encode(sha256, 'hex') as hex from artifacts where kind = 'report'";
      const [row] = await world.rows(tenantId, text);
      await world.bucket.put(String(row?.["object_key"]), "x".repeat(Number(row?.["size_bytes"])));
      // To the hour in which these bytes are read.
      const due = Number.parseInt(String(row?.["hex"]).slice(0, 8), 16) % 24;
      while (Math.floor(world.nowMs / HOUR_MS) % 24 !== due) world.nowMs += HOUR_MS;
    },
    repair: "repaired",
  },
};
