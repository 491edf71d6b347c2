/** Rows that hang on other rows. */
import { firstUlidOf } from "../../base/ids.ts";
import { sha256HexSync } from "../../base/hash.ts";
import { err, ok } from "../../base/result.ts";
import {
  chunksPageSchema,
  membersPageSchema,
  receiptsPageSchema,
  SELECT_STORE_VARIANT,
  selectStrayChunks,
  selectStrayMembers,
  selectStrayReceipts,
} from "../../db/queries/orphan-rows.ts";
import { storeVariantSchema } from "../../db/queries/models.ts";
import {
  batchRecountsSchema,
  scopeRecountsSchema,
  selectBatchRecounts,
  selectScopeRecounts,
} from "../../db/queries/recounts.ts";
import { droppedBatchKey } from "../retention/drop-batch.ts";
import { type Check, nextOf, readPage, readRows } from "./check.ts";
import type { Finding } from "./finding.ts";

/** Rows of one statement: a fraction of a second of Postgres each. */
const CHUNKS_PER_PAGE = 5_000;
const MEMBERS_PER_PAGE = 10_000;
const RECEIPTS_PER_PAGE = 10_000;
const BATCHES_PER_PAGE = 200;
const USERS_PER_PAGE = 200;
/** Hexadecimal digits that stand for a name that is not shown. */
export const LABEL_DIGITS = 16;

const chunks: Check = {
  name: "chunks",
  kinds: ["chunk_without_document", "chunk_of_former_version", "chunk_without_vector"],
  async page(look, after) {
    const variant = await readRows(look, SELECT_STORE_VARIANT);
    if (!variant.ok) return variant;
    const kept = storeVariantSchema.safeParse(variant.value[0]?.["variant"]);
    if (!kept.success) return err({ code: "database_error" });
    const statement = selectStrayChunks(look.tenantId, kept.data, { after, rowsMax: CHUNKS_PER_PAGE });
    const read = await readPage(look, statement, chunksPageSchema);
    if (!read.ok) return read;
    const findings = read.value.found.map((found): Finding => {
      const subject = `${found.model_id}/${found.document_uid}/${found.generation}`;
      const documentUid = found.document_uid;
      const chunksOf = { documentUid, modelId: found.model_id, generation: found.generation };
      return { kind: found.kind, subject, label: subject, detail: { documentUid, chunks: chunksOf } };
    });
    return ok({ findings, lookedAtCount: read.value.row_count, next: nextOf(read.value, CHUNKS_PER_PAGE) });
  },
};

const members: Check = {
  name: "members",
  kinds: ["member_without_artifact", "member_without_document"],
  async page(look, after) {
    const droppedAt = look.droppedAtMs === undefined ? undefined : new Date(look.droppedAtMs);
    const statement = selectStrayMembers(look.tenantId, { after, rowsMax: MEMBERS_PER_PAGE, droppedAt });
    const read = await readPage(look, statement, membersPageSchema);
    if (!read.ok) return read;
    const findings = read.value.found.map(({ kind, artifact_id: artifactId }) => ({
      kind,
      subject: artifactId,
      label: artifactId,
      detail: { artifactId },
    }));
    return ok({ findings, lookedAtCount: read.value.row_count, next: nextOf(read.value, MEMBERS_PER_PAGE) });
  },
};

const receipts: Check = {
  name: "receipts",
  kinds: ["receipt_without_document"],
  async page(look, after) {
    const droppedBefore = look.droppedAtMs === undefined ? "" : firstUlidOf(look.droppedAtMs);
    const statement = selectStrayReceipts(look.tenantId, { after, rowsMax: RECEIPTS_PER_PAGE, droppedBefore });
    const read = await readPage(look, statement, receiptsPageSchema);
    if (!read.ok) return read;
    const findings = read.value.receipt_ids.map((id) => ({
      kind: "receipt_without_document" as const,
      subject: id,
      label: id,
      detail: {},
    }));
    return ok({ findings, lookedAtCount: read.value.row_count, next: nextOf(read.value, RECEIPTS_PER_PAGE) });
  },
};

export const BATCH_CHECK: Check = {
  name: "batches",
  kinds: ["batch_counters", "batch_ledger"],
  async page(look, after) {
    const { tenantId, bucket } = look;
    const statement = selectBatchRecounts(tenantId, { after, rowsMax: BATCHES_PER_PAGE });
    const read = await readPage(look, statement, batchRecountsSchema);
    if (!read.ok) return read;
    const findings: Finding[] = [];
    for (const { batch_tag: batchTag, is_counter_off: isCounterOff, is_ledger_off: isLedgerOff } of read.value
      .batches) {
      // Retention takes receipts away before the batch, and leaves the ledger: nothing recounts that is or was dropped.
      if ((await bucket.head(droppedBatchKey({ tenantId, batchTag }))) !== null) continue;
      const named = { subject: batchTag, label: batchTag, detail: { batchTag } };
      if (isCounterOff) findings.push({ kind: "batch_counters", ...named });
      if (isLedgerOff) findings.push({ kind: "batch_ledger", ...named });
    }
    return ok({ findings, lookedAtCount: read.value.row_count, next: nextOf(read.value, BATCHES_PER_PAGE) });
  },
};

export const SCOPE_CHECK: Check = {
  name: "scopes",
  kinds: ["scope_counters"],
  async page(look, after) {
    const statement = selectScopeRecounts(look.tenantId, { after, rowsMax: USERS_PER_PAGE });
    const read = await readPage(look, statement, scopeRecountsSchema);
    if (!read.ok) return read;
    const findings = read.value.scopes.map((scope): Finding => {
      const { user_id: userId, tier, model_id: modelId } = scope;
      const subject = JSON.stringify([userId, tier, modelId]);
      const label = `${tier}/${modelId}/${sha256HexSync(userId).slice(0, LABEL_DIGITS)}`;
      return { kind: "scope_counters", subject, label, detail: { scope } };
    });
    return ok({ findings, lookedAtCount: read.value.row_count, next: nextOf(read.value, USERS_PER_PAGE) });
  },
};

export const ROW_CHECKS: readonly Check[] = [chunks, members, receipts, BATCH_CHECK, SCOPE_CHECK];
