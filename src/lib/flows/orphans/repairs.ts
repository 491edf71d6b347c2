/** What mends a finding. Each repair looks at what it finds once more, in the statement that changes it, so that two at once do no harm. */
import type { Clock } from "../../base/clock.ts";
import { err, ok, type Result } from "../../base/result.ts";
import {
  deleteFormerChunks,
  deleteStrayMembers,
  type KeptSession,
  SELECT_STORE_VARIANT,
  selectStoredVersion,
  storedVersionRowSchema,
  unsettleDocument,
} from "../../db/queries/orphan-rows.ts";
import { storeVariantSchema } from "../../db/queries/models.ts";
import { recountBatch, recountScope } from "../../db/queries/recounts.ts";
import { policyRowSchema, selectPolicy } from "../../db/queries/tenants.ts";
import type { Statement } from "../../db/sql.ts";
import type { PiiKeyring } from "../../pii/keyring.ts";
import type { PackReadContext } from "../packs/context.ts";
import { redactStored, reenterStored } from "../reentry/reenter-stored.ts";
import { sealingKey } from "../judging/sealing-key.ts";
import { createMarker } from "../sessions/session-marker.ts";
import { removeObjects } from "../snapshots/remove-objects.ts";
import type { StoreContext } from "../ingest/store-request.ts";
import { writeReport } from "../batches/write-report.ts";
import type { CheckFailure } from "./check.ts";
import { type Finding, ORPHAN_KINDS, type RepairDetail, type RepairKind } from "./finding.ts";

export interface RepairContext extends StoreContext, PackReadContext {
  readonly clock: Clock;
  readonly newUlid: () => string;
  readonly piiKeys?: PiiKeyring | undefined;
}

/** `kept`: there is nothing that mends it by itself. */
export type Repaired = "repaired" | "kept";

type Repair = (
  context: RepairContext,
  tenantId: string,
  detail: RepairDetail,
) => Promise<Result<Repaired, CheckFailure>>;

/** Whether there is a repair for a finding. Pure. */
export function isRepairable({ kind, detail }: Finding): boolean {
  const means: RepairKind = ORPHAN_KINDS[kind];
  // Reports are made of what the store holds; other objects are not.
  return means !== "keep" && (means !== "write_report" || detail.batchTag !== undefined);
}

/** Mends one finding. Errors: codes; what failed is found again. */
export function repair(
  context: RepairContext,
  tenantId: string,
  { kind, detail }: Finding,
): Promise<Result<Repaired, CheckFailure>> {
  return REPAIRS[ORPHAN_KINDS[kind]](context, tenantId, detail);
}

const REPAIRS: Readonly<Record<RepairKind, Repair>> = {
  keep: async () => ok("kept"),
  delete_chunks: (context, tenantId, { chunks }) =>
    chunks === undefined ? kept() : change(context, tenantId, [deleteFormerChunks(tenantId, chunks)]),
  delete_members: (context, tenantId, { artifactId }) =>
    artifactId === undefined ? kept() : change(context, tenantId, [deleteStrayMembers(tenantId, artifactId)]),
  recount_batch: (context, tenantId, { batchTag }) =>
    batchTag === undefined ? kept() : change(context, tenantId, recountBatch(tenantId, batchTag)),
  recount_scope: (context, tenantId, { scope }) =>
    scope === undefined ? kept() : change(context, tenantId, recountScope(tenantId, scope)),
  reenter_document: (context, tenantId, { documentUid }) =>
    documentUid === undefined ? kept() : reenterDocument(context, tenantId, documentUid),
  write_report: (context, tenantId, { batchTag, objectKey }) =>
    batchTag === undefined ? kept() : rewriteReport(context, { tenantId, batchTag }, objectKey),
  write_marker: (context, tenantId, { session }) =>
    session === undefined ? kept() : rewriteMarker(context, tenantId, session),
};

const kept = async (): Promise<Result<Repaired, CheckFailure>> => ok("kept");

async function change(
  { sql }: RepairContext,
  tenantId: string,
  statements: readonly Statement[],
): Promise<Result<Repaired, CheckFailure>> {
  const changed = await sql.transaction({ tenantId, userId: "*" }, statements);
  return changed.ok ? ok("repaired") : err({ code: changed.error.code });
}

/**
 * Sends a stored document through the front door again. Its text is read first: where it cannot be, nothing is changed. The version that it gets is right
 * behind its own, so that one which its client sends meanwhile wins.
 */
async function reenterDocument(
  context: RepairContext,
  tenantId: string,
  documentUid: string,
): Promise<Result<Repaired, CheckFailure>> {
  const scope = { tenantId, userId: "*" };
  const asked = [selectStoredVersion(tenantId, documentUid), selectPolicy(tenantId), SELECT_STORE_VARIANT];
  const rows = await context.sql.transaction(scope, asked, { readOnly: true });
  if (!rows.ok) return err({ code: rows.error.code });
  const [[stored], [policyRow], [variantRow]] = [rows.value[0] ?? [], rows.value[1] ?? [], rows.value[2] ?? []];
  if (stored === undefined) return ok("kept");
  const {
    version_key: versionKey,
    wal_key: walKey,
    document_index: documentIndex,
  } = storedVersionRowSchema.parse(stored);
  const { pii } = policyRowSchema.parse(policyRow ?? { policy: {}, policy_version: 0 }).policy;
  const key = await sealingKey(context.piiKeys, tenantId, pii);
  if (!key.ok) return key;
  const version = { walKey, documentIndex, versionKey };
  const again = await redactStored(context, version, { policy: pii, key: key.value });
  if (!again.ok) return again;
  const variant = storeVariantSchema.parse(variantRow?.["variant"]);
  const unsettled = await change(context, tenantId, unsettleDocument(tenantId, variant, { documentUid, versionKey }));
  if (!unsettled.ok) return unsettled;
  const sent = await reenterStored(context, version, { again: again.value, cause: "repaired" });
  return sent.ok ? ok("repaired") : sent;
}

/** Writes the report of a batch anew; that of a batch which is not there any more is removed, since nothing will ask for it. */
async function rewriteReport(
  context: RepairContext,
  batch: { readonly tenantId: string; readonly batchTag: string },
  objectKey: string | undefined,
): Promise<Result<Repaired, CheckFailure>> {
  const written = await writeReport(context, batch);
  if (written.ok) return ok("repaired");
  if (written.error.code !== "not_found" || objectKey === undefined) return written;
  const removed = await removeObjects(context, [objectKey], "report of no batch");
  return removed.ok ? ok("repaired") : removed;
}

/** Without its marker a session cannot be erased. */
async function rewriteMarker(
  { bucket }: RepairContext,
  tenantId: string,
  session: KeptSession,
): Promise<Result<Repaired, CheckFailure>> {
  const made = await createMarker(bucket, { version: 1, tenant_id: tenantId, ...session });
  return made.ok ? ok("repaired") : made;
}
