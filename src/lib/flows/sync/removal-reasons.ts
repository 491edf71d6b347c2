/** Why an object that the remote has is not in R2: by the records that removals leave, or for no reason that is written down. */
import { err, ok, type Result } from "../../base/result.ts";
import { listObjects } from "../../bucket/list-objects.ts";
import { selectSessionErasure, sessionErasureRowSchema } from "../../db/queries/erase-session.ts";
import { selectPacksAt } from "../../db/queries/packs.ts";
import type { S3ListedObject } from "../../s3/list-reply.ts";
import { idOfKeyPart, keyPartHash } from "../../session/session-keys.ts";
import { droppedBatchKey } from "../retention/drop-batch.ts";
import { removalKey, removedObjectKey, REMOVALS_PREFIX } from "../snapshots/removal-marker.ts";
import type { Ends, SyncContext } from "./sync-context.ts";
import type { SyncError } from "./sync-error.ts";

/** waiting: a record of a removal whose object the remote still has. It goes a round later, since it is what its object goes by. */
export type Reason = "recorded" | "unrecorded" | "waiting";

type Missing = Pick<S3ListedObject, "key" | "modifiedAtMs">;

/** Sessions, and tenants, whose erasure is remembered within a run. */
const REMEMBERED_MAX = 10_000;
const NEVER_MS = Number.NEGATIVE_INFINITY;

export class RemovalReasons {
  readonly #context: Pick<SyncContext, "sql">;
  readonly #ends: Ends;
  readonly #isRegistryWhole: boolean;
  readonly #erasedAtMs = new Map<string, number>();

  /** `isRegistryWhole`: the database has not been lost with the bucket, so that a pack that it does not know is one that we removed. */
  constructor(
    context: Pick<SyncContext, "sql">,
    ends: Ends,
    { isRegistryWhole }: { readonly isRegistryWhole: boolean },
  ) {
    this.#context = context;
    this.#ends = ends;
    this.#isRegistryWhole = isRegistryWhole;
  }

  /** Why the object is not in R2. An erasure accounts for what was copied before it. */
  async reasonFor({ key, modifiedAtMs }: Missing): Promise<Result<Reason, SyncError>> {
    if (key.startsWith(REMOVALS_PREFIX)) return this.#reasonForRecord(removedObjectKey(key));
    const marked = await this.#isOnEitherEnd(removalKey(key));
    if (!marked.ok) return marked;
    const recorded = marked.value ? marked : await this.#isErased({ key, modifiedAtMs });
    return recorded.ok ? ok(recorded.value ? "recorded" : "unrecorded") : recorded;
  }

  async #reasonForRecord(object: string): Promise<Result<Reason, SyncError>> {
    const head = await this.#ends.remote.head(object);
    if (!head.ok) return head;
    return ok(head.value === null || (await this.#ends.bucket.head(object)) !== null ? "recorded" : "waiting");
  }

  async #isErased({ key, modifiedAtMs }: Missing): Promise<Result<boolean, SyncError>> {
    const [prefix = "", tenantId = "", ...rest] = key.split("/");
    switch (prefix) {
      case "segments":
      case "summaries":
      case "sessions": {
        const erasedAtMs = await this.#sessionErasedAtMs(tenantId, rest);
        return erasedAtMs.ok ? ok(erasedAtMs.value >= modifiedAtMs) : erasedAtMs;
      }
      case "packs":
        return this.#isPackErased({ tenantId, key, modifiedAtMs });
      case "batches":
        return this.#isBatchDropped(tenantId, rest.slice(0, -1).join("/"));
      case "ingest_reports":
        return this.#isBatchDropped(tenantId, rest.join("/").replace(/\.json$/, ""));
      default:
        return ok(false);
    }
  }

  /** An erasure writes packs anew without the user and forgets the former ones; a pack that was lost is still registered. */
  async #isPackErased({
    tenantId,
    key,
    modifiedAtMs,
  }: Missing & { tenantId: string }): Promise<Result<boolean, SyncError>> {
    if (!this.#isRegistryWhole || (await this.#tenantErasedAtMs(tenantId)) < modifiedAtMs) return ok(false);
    const asked = selectPacksAt(tenantId, [key]);
    const rows = await this.#context.sql.transaction({ tenantId, userId: "*" }, [asked], { readOnly: true });
    return rows.ok ? ok((rows.value[0] ?? []).length === 0) : err({ code: "database_unavailable" });
  }

  /** The time of the newest certificate of any user. */
  async #tenantErasedAtMs(tenantId: string): Promise<number> {
    const known = this.#erasedAtMs.get(tenantId);
    if (known !== undefined) return known;
    let newestMs = NEVER_MS;
    for await (const { key } of listObjects(this.#ends.bucket, { prefix: `erasures/${tenantId}/` }))
      newestMs = Math.max(newestMs, certifiedAtMs(key));
    if (this.#erasedAtMs.size < REMEMBERED_MAX) this.#erasedAtMs.set(tenantId, newestMs);
    return newestMs;
  }

  #isBatchDropped(tenantId: string, batchTag: string): Promise<Result<boolean, SyncError>> {
    return this.#isOnEitherEnd(droppedBatchKey({ tenantId, batchTag }));
  }

  async #sessionErasedAtMs(
    tenantId: string,
    [userPart = "", sessionPart = ""]: readonly string[],
  ): Promise<Result<number, SyncError>> {
    const name = `${tenantId}/${userPart}/${sessionPart}`;
    const known = this.#erasedAtMs.get(name);
    if (known !== undefined) return ok(known);
    const byRow = await this.#erasedByRow(tenantId, [userPart, sessionPart]);
    if (!byRow.ok) return byRow;
    const erasedAtMs = Math.max(byRow.value, await this.#erasedByCertificate(tenantId, userPart));
    if (this.#erasedAtMs.size < REMEMBERED_MAX) this.#erasedAtMs.set(name, erasedAtMs);
    return ok(erasedAtMs);
  }

  /** The row that an erasure of a session leaves. */
  async #erasedByRow(
    tenantId: string,
    [userPart, sessionPart]: readonly [string, string],
  ): Promise<Result<number, SyncError>> {
    const [userId, sessionId] = [idOfKeyPart(userPart), idOfKeyPart(sessionPart)];
    if (userId === undefined || sessionId === undefined) return ok(NEVER_MS);
    const asked = selectSessionErasure({ tenantId, userId, sessionId });
    const rows = await this.#context.sql.transaction({ tenantId, userId: "*" }, [asked], { readOnly: true });
    if (!rows.ok) return err({ code: "database_unavailable" });
    return ok(sessionErasureRowSchema.parse(rows.value[0]?.[0]).erased_at_ms ?? NEVER_MS);
  }

  /** The time in the key of the newest certificate of the user. */
  async #erasedByCertificate(tenantId: string, userPart: string): Promise<number> {
    const hash = keyPartHash(userPart);
    if (hash === undefined) return NEVER_MS;
    const { objects } = await this.#ends.bucket.list({ prefix: `erasures/${tenantId}/${hash}` });
    return certifiedAtMs(objects.at(-1)?.key ?? "");
  }

  /** What is on its way from one end to the other counts. */
  async #isOnEitherEnd(key: string): Promise<Result<boolean, SyncError>> {
    if ((await this.#ends.bucket.head(key)) !== null) return ok(true);
    const head = await this.#ends.remote.head(key);
    return head.ok ? ok(head.value !== null) : head;
  }
}

/** The time that the key of a certificate ends with. */
function certifiedAtMs(key: string): number {
  const [, ...parts] = /-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z\.json$/.exec(key) ?? [];
  const [year, month, day, ...time] = parts.map(Number);
  if (year === undefined || month === undefined || day === undefined) return NEVER_MS;
  return Date.UTC(year, month - 1, day, ...time);
}
