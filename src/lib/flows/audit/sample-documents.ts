import { err, ok, type Result } from "../../base/result.ts";
import type { TenantAudit } from "../../contract/audit.ts";
import {
  sampledDocumentSchema,
  type SampledDocument,
  selectSampledDocuments,
  selectSameVersions,
} from "../../db/queries/audit.ts";
import { documentUidRowSchema } from "../../db/queries/orphan-rows.ts";
import { readRows, type CheckFailure } from "../orphans/check.ts";
import { readStoredDocument } from "../packs/read-stored-document.ts";
import type { AuditContext, ModelRow } from "./context.ts";
import { recomputeChunks } from "./recompute-chunks.ts";
import { addFinding } from "./tenant-tally.ts";

/** Documents of one page: each may be a megabyte, twice. */
export const SAMPLE_PAGE_ROWS = 8;
/** Nights in which every document of a tenant is made once more, and the least and most of one night. */
const NIGHTS = 28;
const SAMPLED_MIN = 50;
const SAMPLED_MAX = 2_000;

/** Documents of one night. Pure. */
export function sampleSize(liveCount: number): number {
  return Math.min(SAMPLED_MAX, Math.max(SAMPLED_MIN, Math.ceil(liveCount / NIGHTS)));
}

interface SampleContext extends AuditContext {
  readonly registry: readonly ModelRow[];
}

/**
 * Makes the chunks of one page of documents once more, from where the audit of the tenant stands; the night after goes on behind them, and from the first
 * where there are no more. Returns whether more of them are left.
 */
export async function samplePage(
  context: SampleContext,
  audit: TenantAudit,
  rowsMax: number,
): Promise<Result<{ readonly isEnd: boolean }, CheckFailure>> {
  const tenantId = audit.tenant_id;
  const look = { sql: context.sql, tenantId };
  const rows = await readRows(look, selectSampledDocuments(tenantId, { after: audit.sample.after, rowsMax }));
  if (!rows.ok) return rows;
  const documents = rows.value.map((row) => sampledDocumentSchema.parse(row));
  const found = new Map<SampledDocument, Looked>();
  for (const document of documents) {
    const looked = await lookAt(context, tenantId, document);
    if (!looked.ok) return looked;
    audit.sample.document_count += 1;
    audit.sample.chunk_count += document.chunks.length;
    if (!looked.value.isRecomputable) audit.sample.not_recomputable_count += 1;
    if (isBroken(looked.value)) found.set(document, looked.value);
  }
  const noted = await note(look, audit, found);
  if (!noted.ok) return noted;
  const isEnd = documents.length < rowsMax;
  audit.sample.after = isEnd ? "" : (documents.at(-1)?.document_uid ?? "");
  return ok({ isEnd });
}

interface Looked {
  readonly otherTexts: readonly string[];
  readonly otherHashes: readonly string[];
  readonly isRecomputable: boolean;
  readonly isUnreadable: boolean;
}

function isBroken({ otherTexts, otherHashes, isUnreadable }: Looked): boolean {
  return isUnreadable || otherTexts.length > 0 || otherHashes.length > 0;
}

const UNREADABLE: Looked = { otherTexts: [], otherHashes: [], isRecomputable: true, isUnreadable: true };

async function lookAt(
  context: SampleContext,
  tenantId: string,
  stored: SampledDocument,
): Promise<Result<Looked, CheckFailure>> {
  const place = { key: stored.wal_key, documentIndex: stored.document_index };
  const read = await readStoredDocument(context, place);
  if (!read.ok) return read.error.code === "storage_unavailable" ? err(read.error) : ok(UNREADABLE);
  const { document } = read.value;
  if (document.text === null) return ok(UNREADABLE);
  const row = context.registry.find((model) => model.model_id === stored.model_id);
  const counter = row === undefined ? undefined : await context.models.tokenCounter(row.fingerprint);
  const cutter =
    row === undefined || counter?.ok !== true
      ? undefined
      : {
          counter: counter.value,
          model: { maxInputTokens: row.max_input_tokens, documentPrefix: row.document_prefix },
        };
  return ok({ ...recomputeChunks(tenantId, stored, { document, cutter }), isUnreadable: false });
}

/** Notes what is broken of those documents that are still what was looked at. */
async function note(
  look: Parameters<typeof readRows>[0],
  audit: TenantAudit,
  found: ReadonlyMap<SampledDocument, Looked>,
): Promise<Result<void, CheckFailure>> {
  if (found.size === 0) return ok(undefined);
  const rows = await readRows(look, selectSameVersions(look.tenantId, [...found.keys()]));
  if (!rows.ok) return rows;
  const same = new Set(rows.value.map((row) => documentUidRowSchema.parse(row).document_uid));
  for (const [{ document_uid: uid }, looked] of found) {
    if (!same.has(uid)) continue;
    addFinding(audit, "chunk_text", looked.otherTexts);
    addFinding(audit, "chunk_hash", looked.otherHashes);
    if (looked.isUnreadable) addFinding(audit, "document_unreadable", [uid]);
  }
  return ok(undefined);
}
