/** The user in backups: every file of the tenant, in every backup, also in one that is being made. */
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import { listBackupFiles } from "../backups/backup-tenant.ts";
import { eraseFromFile, settleManifests } from "../backups/erase-from-backup.ts";
import { type BackupFile, BACKUPS_PREFIX, listBackupIds } from "../backups/manifest.ts";
import { storageUnavailable } from "../problem-of.ts";
import { type Erasure, type EraseUserContext, noteFound, noteUnreadable, type StepResult } from "./erasure.ts";

/** A file is read whole, and written anew where it holds something. */
const UNITS_PER_FILE = 5;

/** Takes the user out of every backup, from where the last request stopped. */
export async function eraseUserBackups(context: EraseUserContext, erasure: Erasure): Promise<StepResult> {
  const walked = await walkFiles(context, erasure, true);
  return walked.ok ? ok({ done: walked.value.done }) : walked;
}

/** Counts what is left of the user in backups, from where the last request stopped. */
export function countUserBackups(
  context: EraseUserContext,
  erasure: Erasure,
): Promise<Result<{ readonly done: boolean; readonly leftCount: number }, Problem>> {
  return walkFiles(context, erasure, false);
}

/** Whether the recount has come to the backups: `after` of the progress is a key. */
export function isAmongBackups({ progress }: Erasure): boolean {
  return progress.after.startsWith(BACKUPS_PREFIX);
}

async function walkFiles(
  context: EraseUserContext,
  erasure: Erasure,
  isErasing: boolean,
): Promise<Result<{ readonly done: boolean; readonly leftCount: number }, Problem>> {
  const eraser = { bucket: context.bucket, zstd: await context.loadZstd() };
  let leftCount = 0;
  try {
    for (const id of await listBackupIds(context.bucket)) {
      const prefix = `${BACKUPS_PREFIX}${id}/${erasure.tenantId}/`;
      const files = (await listBackupFiles(context.bucket, prefix)).filter(isRowFile);
      for (const file of files.filter(({ key }) => !isAmongBackups(erasure) || key > erasure.progress.after)) {
        if (erasure.budget.isSpent()) return ok({ done: false, leftCount });
        erasure.budget.spend(UNITS_PER_FILE);
        const count = await eraseFromFile(eraser, file, { user: erasure, isErasing });
        if (count === undefined && !isErasing) noteUnreadable(erasure);
        if (count !== undefined && isErasing) noteFound(erasure, "backup_rows", count);
        leftCount += count ?? 0;
        erasure.progress = { ...erasure.progress, after: file.key };
      }
      if (isErasing && files.length > 0) await settleManifests(context.bucket, id, erasure.tenantId);
    }
    return ok({ done: true, leftCount });
  } catch {
    return err(storageUnavailable());
  }
}

function isRowFile({ key }: BackupFile): boolean {
  return key.endsWith(".mpz") || key.endsWith(".jsonl.zst");
}
