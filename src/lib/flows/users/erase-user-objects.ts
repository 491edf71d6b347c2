/** The user's texts in objects that requests of several users share: every object of the tenant is looked at, by its marks or by reading it. */
import { err, ok, type Result } from "../../base/result.ts";
import { type ListedPage, type Listing, listPage } from "../../bucket/list-objects.ts";
import type { Problem } from "../../contract/problem.ts";
import type { WalDocument } from "../../contract/wal-record.ts";
import { readObject, type RewriteError } from "../../wal/rewrite-object.ts";
import { mayHold } from "../../wal/user-marks.ts";
import { versionKeyOf } from "../indexing/version-key-of.ts";
import { storageUnavailable } from "../problem-of.ts";
import { eraseFromObject } from "./erased-document.ts";
import { countReply, eraseReply } from "./erase-reply.ts";
import { type Erasure, type EraseUserContext, noteFound, noteUnreadable, type StepResult } from "./erasure.ts";

type ObjectPlace = "wal_texts" | "quarantine_texts" | "remembered_replies";

const PREFIX_OF_PLACE = {
  wal_texts: "wal",
  quarantine_texts: "quarantine",
  remembered_replies: "idempotency",
} as const satisfies Record<ObjectPlace, string>;

/** The inputs of an object that are gone. */
function erasedOf(erasure: Erasure, key: string): (document: WalDocument) => boolean {
  const walId = key.slice(key.lastIndexOf("/") + 1).replace(/\.mpz$/, "");
  return (document) => document.user_id === erasure.userId && versionKeyOf(walId, document) < erasure.before;
}

/** Takes the user out of all objects of one place, from where the last request stopped. */
export function eraseObjects(context: EraseUserContext, erasure: Erasure, place: ObjectPlace): Promise<StepResult> {
  return scan(context, erasure, place, async (key) => {
    const erased = await (place === "remembered_replies"
      ? eraseReply(context, key, erasure)
      : eraseFromObject(context.bucket, key, erasedOf(erasure, key)));
    if (erased.ok) noteFound(erasure, place, erased.value);
    return erased;
  });
}

const PLACES: readonly ObjectPlace[] = ["wal_texts", "quarantine_texts", "remembered_replies"];

/**
 * Counts what is left of the user in all objects, from where the last request stopped: `after` of the progress is a key, and keys of one place all lie
 * behind those of another. Stops at the first one that is left.
 */
export async function recountObjects(
  context: EraseUserContext,
  erasure: Erasure,
): Promise<Result<{ readonly done: boolean; readonly leftCount: number }, Problem>> {
  let leftCount = 0;
  const { after } = erasure.progress;
  const startIndex = Math.max(
    0,
    PLACES.findIndex((place) => after.startsWith(`${PREFIX_OF_PLACE[place]}/`)),
  );
  for (const place of PLACES.slice(startIndex)) {
    const scanned = await scan(context, erasure, place, async (key) => {
      const left = await (place === "remembered_replies"
        ? countReply(context, key, erasure)
        : countErased(context, erasure, key));
      if (left.ok) leftCount += left.value;
      else if (left.error.code !== "storage_unavailable") noteUnreadable(erasure);
      return left;
    });
    if (!scanned.ok) return scanned;
    if (leftCount > 0) return ok({ done: true, leftCount });
    if (!scanned.value.done) return ok({ done: false, leftCount });
  }
  return ok({ done: true, leftCount });
}

async function countErased(
  context: EraseUserContext,
  erasure: Erasure,
  key: string,
): Promise<Result<number, RewriteError>> {
  const documents = await readObject(context.bucket, key);
  return documents.ok ? ok(documents.value.filter(erasedOf(erasure, key)).length) : documents;
}

/** Hands out the keys of objects that may hold something of the user. What cannot be read for good is passed over: nothing can be applied from it. */
async function scan(
  context: EraseUserContext,
  erasure: Erasure,
  place: ObjectPlace,
  handle: (key: string) => Promise<Result<number, RewriteError>>,
): Promise<StepResult> {
  const prefix = `${PREFIX_OF_PLACE[place]}/${erasure.tenantId}/`;
  let startAfter = erasure.progress.after.startsWith(prefix) ? erasure.progress.after : "";
  for (;;) {
    const page = await pageOf(context, { prefix, startAfter, isWithMetadata: true });
    if (!page.ok) return page;
    for (const object of page.value.objects) {
      if (mayHold(object.customMetadata, erasure)) {
        if (erasure.budget.isSpent()) return ok({ done: false });
        erasure.budget.spend();
        const handled = await handle(object.key);
        if (!handled.ok && handled.error.code === "storage_unavailable") return err(storageUnavailable());
      }
      startAfter = object.key;
      erasure.progress = { ...erasure.progress, after: object.key };
    }
    if (page.value.next === undefined) return ok({ done: true });
    erasure.budget.spend();
    if (erasure.budget.isSpent()) return ok({ done: false });
  }
}

async function pageOf(
  { bucket }: Pick<EraseUserContext, "bucket">,
  listing: Listing,
): Promise<Result<ListedPage, Problem>> {
  try {
    return ok(await listPage(bucket, listing));
  } catch {
    return err(storageUnavailable());
  }
}
