import type { R2Bucket, R2ObjectBody } from "@cloudflare/workers-types";
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import { storageUnavailable } from "../problem-of.ts";
import { auditKey, diffKey, diffTextKey, type KeptAudit, listAudits } from "./audit-objects.ts";

/** What is kept of a day. */
export type AuditForm = "audit" | "diff" | "diff_text";

const KEY_OF: Readonly<Record<AuditForm, (day: string) => string>> = {
  audit: auditKey,
  diff: diffKey,
  diff_text: diffTextKey,
};

/** The days that have an audit, the latest first. Errors: `storage_unavailable`. */
export async function readAuditDays(bucket: R2Bucket): Promise<Result<readonly KeptAudit[], Problem>> {
  try {
    return ok(await listAudits(bucket));
  } catch {
    return err(storageUnavailable());
  }
}

/** The audit of a day, or its difference from the one before, as it is kept. Errors: `not_found`, `storage_unavailable`. */
export async function openAudit(
  bucket: R2Bucket,
  day: string,
  form: AuditForm,
): Promise<Result<R2ObjectBody, Problem>> {
  try {
    const object = await bucket.get(KEY_OF[form](day));
    return object === null ? err({ code: "not_found" }) : ok(object);
  } catch {
    return err(storageUnavailable());
  }
}
