/** Rows that hang on objects in R2. The rows are read first: what they name was written before them. */
import { createHash } from "node:crypto";
import type { R2Bucket } from "@cloudflare/workers-types";
import { HOUR_MS } from "../../base/durations.ts";
import { sha256HexSync } from "../../base/hash.ts";
import { ok, type Result } from "../../base/result.ts";
import {
  artifactsPageSchema,
  documentsPageSchema,
  documentUidRowSchema,
  heldPageSchema,
  type RegisteredObject,
  selectArtifactsWithMembers,
  selectDocumentsWithChunks,
  selectHeldObjects,
  selectKeptSessions,
  selectPackedDocuments,
  sessionsPageSchema,
  type StoredDocument,
} from "../../db/queries/orphan-rows.ts";
import { sessionMarkerKey } from "../../session/session-keys.ts";
import { type Check, type CheckFailure, nextOf, readPage, readRows, type TenantLook } from "./check.ts";
import type { Finding } from "./finding.ts";
import { LABEL_DIGITS } from "./row-checks.ts";

/** Rows of one page: each may need a call to R2 where nothing lies beside its object. */
const DOCUMENTS_PER_PAGE = 500;
const ARTIFACTS_PER_PAGE = 200;
const ROWS_PER_PAGE = 500;
/** Every object is read and hashed once in so many hours. */
const HASH_ROTATION = 24;
/** Larger objects are held to their size and to the hash that their writer left: reading gigabytes is the audit of a restore. */
const HASHED_BYTES_MAX = 64 * 1024 * 1024;

const documents: Check = {
  name: "documents",
  kinds: ["document_without_chunks", "document_without_text"],
  async page(look, after) {
    const statement = selectDocumentsWithChunks(look.tenantId, { after, rowsMax: DOCUMENTS_PER_PAGE });
    const read = await readPage(look, statement, documentsPageSchema);
    if (!read.ok) return read;
    const without = await withoutText(look, read.value.documents);
    if (!without.ok) return without;
    const findings = read.value.documents.flatMap((document): readonly Finding[] => {
      const { document_uid: documentUid } = document;
      const named = { subject: documentUid, label: documentUid, detail: { documentUid } };
      return [
        ...(document.chunk_count === document.stored_count
          ? []
          : [{ kind: "document_without_chunks", ...named } as const]),
        ...(without.value.has(documentUid) ? [{ kind: "document_without_text", ...named } as const] : []),
      ];
    });
    return ok({ findings, lookedAtCount: read.value.row_count, next: nextOf(read.value, DOCUMENTS_PER_PAGE) });
  },
};

/**
 * Documents whose WAL object is gone and that no pack holds. Where packs hold a tenant's documents most WAL objects are gone, so that packs are asked before
 * each object is. And once more after that: a pack is registered before the object goes.
 */
async function withoutText(
  look: TenantLook,
  stored: readonly StoredDocument[],
): Promise<Result<ReadonlySet<string>, CheckFailure>> {
  const objects = look.objectsUnder(`wal/${look.tenantId}/`);
  const unlisted: StoredDocument[] = [];
  for (const document of stored)
    if ((await objects.findListed(document.wal_key)) === undefined) unlisted.push(document);
  const unpacked = await unpackedOf(look, unlisted);
  if (!unpacked.ok) return unpacked;
  const missing: StoredDocument[] = [];
  for (const document of unpacked.value)
    if ((await objects.find(document.wal_key)) === undefined) missing.push(document);
  const without = await unpackedOf(look, missing);
  return without.ok ? ok(new Set(without.value.map(({ document_uid: uid }) => uid))) : without;
}

async function unpackedOf(
  look: TenantLook,
  documentsOf: readonly StoredDocument[],
): Promise<Result<readonly StoredDocument[], CheckFailure>> {
  if (documentsOf.length === 0) return ok([]);
  const uids = documentsOf.map(({ document_uid: uid }) => uid);
  const rows = await readRows(look, selectPackedDocuments(look.tenantId, uids));
  if (!rows.ok) return rows;
  const packed = new Set(rows.value.map((row) => documentUidRowSchema.parse(row).document_uid));
  return ok(documentsOf.filter(({ document_uid: uid }) => !packed.has(uid)));
}

const artifacts: Check = {
  name: "artifacts",
  kinds: ["artifact_without_members", "artifact_without_object", "artifact_of_other_bytes"],
  async page(look, after) {
    const statement = selectArtifactsWithMembers(look.tenantId, { after, rowsMax: ARTIFACTS_PER_PAGE });
    const read = await readPage(look, statement, artifactsPageSchema);
    if (!read.ok) return read;
    const findings: Finding[] = [];
    for (const row of read.value.artifacts) {
      const detail = row.kind === "report" && row.batch_tag !== null ? { batchTag: row.batch_tag } : {};
      const named = { subject: row.artifact_id, label: row.artifact_id, detail };
      if (!row.has_members && mustHaveMembers(row)) findings.push({ kind: "artifact_without_members", ...named });
      const state = await stateOf(look, row);
      if (state === "missing") findings.push({ kind: "artifact_without_object", ...named });
      if (state === "other") findings.push({ kind: "artifact_of_other_bytes", ...named });
    }
    return ok({ findings, lookedAtCount: read.value.row_count, next: nextOf(read.value, ARTIFACTS_PER_PAGE) });
  },
};

/** Packs have members, and segments but for those of which no event was let in: their key says how many. */
function mustHaveMembers({ kind, object_key: key }: RegisteredObject): boolean {
  return kind === "pack" || (kind === "segment" && !/-0-[0-9a-f]{8}\.seg$/.test(key));
}

async function stateOf(look: TenantLook, row: RegisteredObject): Promise<"same" | "other" | "missing"> {
  const root = row.object_key.split("/", 1)[0] ?? "";
  const object = await look.objectsUnder(`${root}/${look.tenantId}/`).find(row.object_key);
  if (object === undefined) return "missing";
  if (object.sizeBytes !== row.size_bytes) return "other";
  const isSha256 = object.hash?.length === row.sha256.length;
  if (isSha256 && object.hash !== row.sha256) return "other";
  if (!isHashDue(row, look.clock()) || row.size_bytes > HASHED_BYTES_MAX) return "same";
  const sha256 = await hashOf(look.bucket, row.object_key);
  return sha256 === undefined ? "missing" : sha256 === row.sha256 ? "same" : "other";
}

/** Whether this hour is the one in which the bytes of an object are read. Pure: each object has one hour of a day. */
function isHashDue({ sha256 }: Pick<RegisteredObject, "sha256">, nowMs: number): boolean {
  return Number.parseInt(sha256.slice(0, 8), 16) % HASH_ROTATION === Math.floor(nowMs / HOUR_MS) % HASH_ROTATION;
}

/** SHA-256 of an object's bytes as they come; one chunk of the stream in memory. */
async function hashOf(bucket: R2Bucket, key: string): Promise<string | undefined> {
  const object = await bucket.get(key);
  if (object === null) return undefined;
  const hash = createHash("sha256");
  for await (const chunk of object.body) hash.update(chunk);
  return hash.digest("hex");
}

const held: Check = {
  name: "held",
  kinds: ["held_without_object"],
  async page(look, after) {
    const statement = selectHeldObjects(look.tenantId, { after, rowsMax: ROWS_PER_PAGE });
    const read = await readPage(look, statement, heldPageSchema);
    if (!read.ok) return read;
    const objects = look.objectsUnder(`quarantine/${look.tenantId}/`);
    const findings: Finding[] = [];
    for (const { quarantine_id: id, object_key: key } of read.value.held)
      if ((await objects.find(key)) === undefined)
        findings.push({ kind: "held_without_object", subject: id, label: id, detail: {} });
    return ok({ findings, lookedAtCount: read.value.row_count, next: nextOf(read.value, ROWS_PER_PAGE) });
  },
};

const sessions: Check = {
  name: "sessions",
  kinds: ["session_without_marker"],
  async page(look, after) {
    const { tenantId } = look;
    const read = await readPage(
      look,
      selectKeptSessions(tenantId, { after, rowsMax: ROWS_PER_PAGE }),
      sessionsPageSchema,
    );
    if (!read.ok) return read;
    const markers = look.objectsUnder(`sessions/${tenantId}/`);
    const findings: Finding[] = [];
    for (const session of read.value.sessions) {
      const subject = sessionMarkerKey({ tenantId, userId: session.user_id, sessionId: session.session_id });
      if ((await markers.find(subject)) !== undefined) continue;
      const label = sha256HexSync(subject).slice(0, LABEL_DIGITS);
      findings.push({ kind: "session_without_marker", subject, label, detail: { session } });
    }
    return ok({ findings, lookedAtCount: read.value.row_count, next: nextOf(read.value, ROWS_PER_PAGE) });
  },
};

export const OBJECT_CHECKS: readonly Check[] = [documents, artifacts, held, sessions];
