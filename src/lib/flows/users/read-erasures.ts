import type { R2Bucket } from "@cloudflare/workers-types";
import type { z } from "zod";
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import type { erasureListSchema } from "../../contract/user-erasure.ts";
import { selectErasure, type UserName } from "../../db/queries/user-erasures.ts";
import type { Sql } from "../../db/sql.ts";
import { problemOfSql } from "../problem-of.ts";
import { listCertificates } from "./certificate.ts";

/** The certificates of a user, and whether an erasure is under way. */
export async function readErasures(
  context: { readonly sql: Sql; readonly bucket: R2Bucket },
  user: UserName,
): Promise<Result<z.output<typeof erasureListSchema>, Problem>> {
  const rows = await context.sql.transaction(user, [selectErasure(user)], { readOnly: true });
  if (!rows.ok) return err(problemOfSql(rows.error));
  const row = rows.value[0]?.[0];
  const certificates = await listCertificates(context.bucket, user);
  if (!certificates.ok) return certificates;
  const running = row !== undefined && row["progress"] !== null;
  return ok({ user_id: user.userId, running, certificates: [...certificates.value] });
}
