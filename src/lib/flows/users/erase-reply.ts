/**
 * Replies that are remembered for an Idempotency-Key name the documents of a request. They stay, without the names, so that a client that sends an old
 * request again is told what it was told and brings nothing back.
 */
import type { R2Bucket } from "@cloudflare/workers-types";
import { err, ok, type Result } from "../../base/result.ts";
import type { UserName } from "../../db/queries/user-erasures.ts";
import { readObject, type RewriteError } from "../../wal/rewrite-object.ts";
import { withoutMark } from "../../wal/user-marks.ts";
import { walKey } from "../../wal/wal-key.ts";
import { type Remembered, rememberedSchema } from "../idempotency.ts";

/** Takes the user's documents out of a remembered reply; returns how many. The WAL object is done before: it says which they are. */
export async function eraseReply(bucket: R2Bucket, key: string, user: UserName): Promise<Result<number, RewriteError>> {
  try {
    const object = await bucket.get(key);
    if (object === null) return ok(0);
    const named = await namedIn(bucket, user, await object.json().catch(() => undefined));
    if (!named.ok) return named;
    const { remembered, indexes } = named.value;
    if (indexes.size === 0) return ok(0);
    const receipts = remembered.reply.receipts.map((receipt) =>
      indexes.has(receipt.index) ? { ...receipt, document_id: "", reasons: [] } : receipt,
    );
    const erased: Remembered = { ...remembered, reply: { ...remembered.reply, receipts } };
    await bucket.put(key, JSON.stringify(erased), {
      customMetadata: { ...withoutMark(object.customMetadata ?? {}, user) },
      ...(object.httpMetadata === undefined ? {} : { httpMetadata: object.httpMetadata }),
    });
    return ok(indexes.size);
  } catch {
    return err({ code: "storage_unavailable" });
  }
}

/** How many of the user's documents a remembered reply names. */
export async function countReply(bucket: R2Bucket, key: string, user: UserName): Promise<Result<number, RewriteError>> {
  try {
    const object = await bucket.get(key);
    if (object === null) return ok(0);
    const named = await namedIn(bucket, user, await object.json().catch(() => undefined));
    return named.ok ? ok(named.value.indexes.size) : named;
  } catch {
    return err({ code: "storage_unavailable" });
  }
}

interface Named {
  readonly remembered: Remembered;
  /** Places of the erased inputs in the request, as far as the reply still names them. */
  readonly indexes: ReadonlySet<number>;
}

async function namedIn(bucket: R2Bucket, user: UserName, json: unknown): Promise<Result<Named, RewriteError>> {
  const parsed = rememberedSchema.safeParse(json);
  if (!parsed.success) return err({ code: "wal_invalid" });
  const documents = await readObject(bucket, walKey(user.tenantId, parsed.data.wal_id));
  if (!documents.ok) return documents;
  const erased = new Set(
    documents.value.filter(({ reasons }) => reasons[0]?.code === "erased").map((document) => document.document_index),
  );
  const named = parsed.data.reply.receipts.filter(({ index, document_id: id }) => erased.has(index) && id !== "");
  return ok({ remembered: parsed.data, indexes: new Set(named.map(({ index }) => index)) });
}
