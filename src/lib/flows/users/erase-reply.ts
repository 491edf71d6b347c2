/**
 * Replies that are remembered for an Idempotency-Key name the documents of a request. They stay, without the names, so that a client that sends an old
 * request again is told what it was told and brings nothing back.
 */
import type { R2Bucket, R2ObjectBody } from "@cloudflare/workers-types";
import { err, ok, type Result } from "../../base/result.ts";
import { disownedInputRowSchema, selectDisownedInputs } from "../../db/queries/erase-user.ts";
import type { UserName } from "../../db/queries/user-erasures.ts";
import type { Sql } from "../../db/sql.ts";
import { readObject, type RewriteError } from "../../wal/rewrite-object.ts";
import { withoutMark } from "../../wal/user-marks.ts";
import { walKey } from "../../wal/wal-key.ts";
import { type Remembered, rememberedSchema } from "../ingest/idempotency.ts";

interface ReplyContext {
  readonly bucket: R2Bucket;
  readonly sql: Sql;
}

/** Takes the user's documents out of a remembered reply; returns how many. The WAL object is done before: it says which they are. */
export async function eraseReply(
  context: ReplyContext,
  key: string,
  user: UserName,
): Promise<Result<number, RewriteError>> {
  try {
    const named = await readNamed(context, key, user);
    if (!named.ok || named.value === undefined) return named.ok ? ok(0) : named;
    const { object, remembered, indexes } = named.value;
    if (indexes.size === 0) return ok(0);
    const receipts = remembered.reply.receipts.map((receipt) =>
      indexes.has(receipt.index) ? { ...receipt, document_id: "", reasons: [] } : receipt,
    );
    const erased: Remembered = { ...remembered, reply: { ...remembered.reply, receipts } };
    await context.bucket.put(key, JSON.stringify(erased), {
      customMetadata: { ...withoutMark(object.customMetadata ?? {}, user) },
      ...(object.httpMetadata === undefined ? {} : { httpMetadata: object.httpMetadata }),
    });
    return ok(indexes.size);
  } catch {
    return err({ code: "storage_unavailable" });
  }
}

/** How many of the user's documents a remembered reply names. */
export async function countReply(
  context: ReplyContext,
  key: string,
  user: UserName,
): Promise<Result<number, RewriteError>> {
  try {
    const named = await readNamed(context, key, user);
    return named.ok ? ok(named.value?.indexes.size ?? 0) : named;
  } catch {
    return err({ code: "storage_unavailable" });
  }
}

interface Named {
  readonly object: R2ObjectBody;
  readonly remembered: Remembered;
  /** Places of the erased inputs in the request, as far as the reply still names them. */
  readonly indexes: ReadonlySet<number>;
}

/** A reply with what it names of the user; undefined where there is none under the key. Throws when R2 fails. */
async function readNamed(
  context: ReplyContext,
  key: string,
  user: UserName,
): Promise<Result<Named | undefined, RewriteError>> {
  const object = await context.bucket.get(key);
  if (object === null) return ok(undefined);
  const parsed = rememberedSchema.safeParse(await object.json().catch(() => undefined));
  if (!parsed.success) return err({ code: "wal_invalid" });
  const erased = await erasedInputs(context, user.tenantId, parsed.data.wal_id);
  if (!erased.ok) return erased;
  const named = parsed.data.reply.receipts.filter(({ index, document_id: id }) => erased.value.has(index) && id !== "");
  return ok({ object, remembered: parsed.data, indexes: new Set(named.map(({ index }) => index)) });
}

/** Places of a request's erased inputs: its WAL object says which they are, or once that has gone the receipts that are nobody's. */
async function erasedInputs(
  { bucket, sql }: ReplyContext,
  tenantId: string,
  walId: string,
): Promise<Result<ReadonlySet<number>, RewriteError>> {
  const documents = await readObject(bucket, walKey(tenantId, walId));
  if (!documents.ok) return documents;
  if (documents.value.length > 0) {
    const erased = documents.value.filter(({ reasons }) => reasons[0]?.code === "erased");
    return ok(new Set(erased.map((document) => document.document_index)));
  }
  const rows = await sql.transaction({ tenantId, userId: "*" }, [selectDisownedInputs(tenantId, walId)], {
    readOnly: true,
  });
  if (!rows.ok) return err({ code: "storage_unavailable" });
  return ok(new Set((rows.value[0] ?? []).map((row) => disownedInputRowSchema.parse(row).document_index)));
}
