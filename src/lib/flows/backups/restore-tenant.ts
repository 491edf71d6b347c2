/** The restore of one tenant, a file at a time: ledger, documents from the full backup to the last, everything else, deletions since. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { z } from "zod";
import { assert } from "../../base/assert.ts";
import type { PackReaderOptions } from "../../artifact/pack-reader.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import { FIRST_UID } from "../../db/queries/backup.ts";
import { type BackedTable, KIN_TABLES, LEDGER_TABLE } from "../../db/queries/backup-tables.ts";
import type { StoreVariant } from "../../db/queries/models.ts";
import { areColumns, insertRows, undoLateRanges } from "../../db/queries/restore.ts";
import type { Sql, Statement } from "../../db/sql.ts";
import { problemOfSql } from "../problem-of.ts";
import { LATE_RANGES } from "./backup-tenant.ts";
import type { TenantChain } from "./choose-backup.ts";
import type { Damage } from "./damage.ts";
import { type Line, readLines } from "./line-file.ts";
import type { BackupFile, TenantManifest } from "./manifest.ts";
import { restorePart } from "./restore-documents.ts";

/** Where the restore of a tenant stands: a file of a step, and for documents the backup of the chain. */
export const tenantPlaceSchema = z.object({
  tenant_id: z.string(),
  step: z.enum(["ledger", "documents", "rows", "deletions"]),
  chain: z.int(),
  part: z.int(),
  from_uid: z.string(),
  /** Key of the last record of a deletion that was repeated. */
  deleted_after: z.string().default(""),
});
export type TenantPlace = z.infer<typeof tenantPlaceSchema>;

export const firstPlace = (tenantId: string): TenantPlace => ({
  tenant_id: tenantId,
  step: "ledger",
  chain: 0,
  part: 1,
  from_uid: FIRST_UID,
  deleted_after: "",
});

export interface TenantRestore {
  readonly sql: Sql;
  readonly bucket: R2Bucket;
  readonly zstd: PackReaderOptions["zstd"];
  readonly variant: StoreVariant;
}

/** What one step has done. */
export interface StepTally {
  readonly rowCount: number;
  readonly documentCount: number;
  readonly chunkCount: number;
  readonly missingCount: number;
  readonly damages: readonly Damage[];
}

const NOTHING: StepTally = { rowCount: 0, documentCount: 0, chunkCount: 0, missingCount: 0, damages: [] };

/** Rows of one statement. */
const ROWS_MAX = 2_000;
const ROWS_LENGTH_MAX = 4 * 1024 * 1024;

/** Restores the next file; the place behind it. Repeating it is harmless. */
export async function restoreNext(
  restore: TenantRestore,
  chain: TenantChain,
  place: TenantPlace,
): Promise<Result<{ readonly place: TenantPlace; readonly tally: StepTally }, Problem>> {
  if (place.step === "documents") return restoreDocuments(restore, chain, place);
  assert(place.step !== "deletions", "files come before deletions");
  const last = lastOf(chain);
  const file = fileOf(last, `${place.step}-${place.part}.jsonl.zst`);
  const next = place.step === "ledger" ? "documents" : "deletions";
  if (file === undefined) return ok({ place: { ...place, step: next, part: 1 }, tally: NOTHING });
  const tally = await restoreLines(restore, place.tenant_id, file);
  return tally.ok ? ok({ place: { ...place, part: place.part + 1 }, tally: tally.value }) : tally;
}

async function restoreDocuments(
  restore: TenantRestore,
  chain: TenantChain,
  place: TenantPlace,
): Promise<Result<{ readonly place: TenantPlace; readonly tally: StepTally }, Problem>> {
  const manifest = chain.manifests[place.chain];
  if (manifest === undefined) return ok({ place: { ...place, step: "rows", part: 1 }, tally: NOTHING });
  const lines = fileOf(manifest, `documents-${place.part}.jsonl.zst`);
  if (lines === undefined) {
    return ok({ place: { ...place, chain: place.chain + 1, part: 1, from_uid: FIRST_UID }, tally: NOTHING });
  }
  const isLastBackup = place.chain === chain.manifests.length - 1;
  const isLast = fileOf(manifest, `documents-${place.part + 1}.jsonl.zst`) === undefined;
  // Without the end of the part before nobody knows where this one begins.
  const range = isLastBackup && place.from_uid !== "" ? { fromUid: place.from_uid, isLast } : null;
  const part = { lines, packs: packsOf(manifest, place.part), isDelta: place.chain > 0, range };
  const restored = await restorePart({ ...restore, tenantId: place.tenant_id }, part);
  if (!restored.ok) return restored;
  const { lastUid, ...tally } = restored.value;
  return ok({ place: { ...place, part: place.part + 1, from_uid: lastUid ?? "" }, tally: { ...NOTHING, ...tally } });
}

/** Models of the packs of a part, from `documents-<part>.<model>.mpz`. */
function packsOf({ files }: TenantManifest, part: number): ReadonlyMap<number, BackupFile> {
  return new Map(
    files.flatMap((file) => {
      const [, number, model] = /\/documents-(\d+)\.(\d+)\.mpz$/.exec(file.key) ?? [];
      return Number(number) === part ? [[Number(model), file] as const] : [];
    }),
  );
}

function fileOf({ files }: TenantManifest, name: string): BackupFile | undefined {
  return files.find(({ key }) => key.endsWith(`/${name}`));
}

function lastOf({ manifests }: TenantChain): TenantManifest {
  const last = manifests.at(-1);
  assert(last !== undefined, "a chain has its last backup");
  return last;
}

async function restoreLines(
  { sql, bucket }: TenantRestore,
  tenantId: string,
  file: BackupFile,
): Promise<Result<StepTally, Problem>> {
  const lines = await readLines(bucket, file);
  if (!lines.ok) return ok({ ...NOTHING, damages: [{ key: file.key, code: lines.error }] });
  let rowCount = 0;
  for (const page of pagesOf(lines.value)) {
    const written = await sql.transaction({ tenantId, userId: "*" }, statementsOf(tenantId, page));
    if (!written.ok) return err(problemOfSql(written.error));
    rowCount += page.length;
  }
  return ok({ ...NOTHING, rowCount });
}

/** Lines of one table each, as many as fit into a statement. */
function* pagesOf(lines: readonly Line[]): Generator<readonly Line[]> {
  let page: Line[] = [];
  let length = 0;
  for (const line of lines) {
    const isFull = page.length >= ROWS_MAX || length + line.json.length > ROWS_LENGTH_MAX;
    if (page.length > 0 && (isFull || page[0]?.table !== line.table)) {
      yield page;
      page = [];
      length = 0;
    }
    page.push(line);
    length += line.json.length;
  }
  if (page.length > 0) yield page;
}

const TABLES: ReadonlyMap<string, BackedTable> = new Map(
  [LEDGER_TABLE, ...KIN_TABLES].map((table) => [table.name, table]),
);

function statementsOf(tenantId: string, page: readonly Line[]): readonly Statement[] {
  const [first] = page;
  assert(first !== undefined, "a page has lines");
  const rowsJson = `[${page.map(({ json }) => json).join(",")}]`;
  if (first.table === LATE_RANGES) return undoLateRanges(tenantId, rowsJson);
  const table = TABLES.get(first.table);
  const columns = Object.keys(z.record(z.string(), z.unknown()).parse(JSON.parse(first.json)));
  return table === undefined || !areColumns(columns) ? [] : [insertRows(tenantId, table, { columns, rowsJson })];
}
