import { err, ok, type Result } from "../../base/result.ts";
import { keyRecordSchema, type KeyRecord } from "../../contract/key-record.ts";
import { selectKeyByHash } from "../../db/queries/api-keys.ts";
import { keyLookupStatement, type Sql, type SqlError } from "../../db/sql.ts";

/** How long a look-up may take, milliseconds: past it the copy in KV answers, so that an outage costs a request two seconds once. */
const LOOKUP_TIMEOUT_MS = 2_000;

/**
 * The record of the key with this hash, before any tenant is known: each database is asked, at once. A key that one of them knows is
 * known; that nobody knows it can only be said when all have answered.
 */
export async function findKey(
  databases: Iterable<Sql>,
  keyHash: string,
): Promise<Result<KeyRecord | undefined, SqlError>> {
  const answers = await Promise.all(Array.from(databases, (sql) => findKeyIn(sql, keyHash)));
  const known = answers.find((answer) => answer.ok && answer.value !== undefined);
  return known ?? answers.find((answer) => !answer.ok) ?? ok(undefined);
}

async function findKeyIn(sql: Sql, keyHash: string): Promise<Result<KeyRecord | undefined, SqlError>> {
  const found = await sql.transaction(
    { tenantId: "", userId: "" },
    [keyLookupStatement(keyHash), selectKeyByHash(keyHash)],
    {
      readOnly: true,
      timeoutMs: LOOKUP_TIMEOUT_MS,
    },
  );
  if (!found.ok) return err(found.error);
  const row = found.value[1]?.[0];
  return ok(row === undefined ? undefined : keyRecordSchema.parse(row));
}
