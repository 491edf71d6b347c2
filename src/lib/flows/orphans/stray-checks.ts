/** Objects in R2 of which no row knows. Young ones are passed over: their row comes after them. */
import type { R2Bucket, R2Object } from "@cloudflare/workers-types";
import { HOUR_MS } from "../../base/durations.ts";
import { sha256HexSync } from "../../base/hash.ts";
import { ok, type Result } from "../../base/result.ts";
import { listPage } from "../../bucket/list-objects.ts";
import { appliedRangesRowSchema, selectAppliedRanges } from "../../db/queries/ledger.ts";
import { objectKeyRowSchema, selectHeldKeys, selectRegisteredKeys } from "../../db/queries/orphan-rows.ts";
import { removalKey } from "../snapshots/removal-marker.ts";
import { readObject } from "../../wal/rewrite-object.ts";
import { walKey } from "../../wal/wal-key.ts";
import { type Check, type CheckFailure, type CheckPage, readRows, type TenantLook } from "./check.ts";
import type { Finding, OrphanKind } from "./finding.ts";
import { LABEL_DIGITS } from "./row-checks.ts";

/** Keys of one listing. */
const KEYS_PER_PAGE = 500;
/** An object may wait so long for its row, milliseconds: a queue that is behind, a request between two writes. */
const SETTLE_MS = HOUR_MS;

interface StrayKind {
  readonly kind: OrphanKind;
  readonly root: string;
  /** Keys hold names of users: reports show a hash. */
  readonly namesUsers: boolean;
  /** Which of the objects are strays. */
  readonly straysOf: (
    look: TenantLook,
    objects: readonly R2Object[],
  ) => Promise<Result<readonly R2Object[], CheckFailure>>;
}

function strayCheck({ kind, root, namesUsers, straysOf }: StrayKind): Check {
  return {
    name: `stray_${root}`,
    kinds: [kind],
    async page(look, after) {
      const page = await listPage(look.bucket, {
        prefix: `${root}/${look.tenantId}/`,
        startAfter: after,
        keysMax: KEYS_PER_PAGE,
      });
      const settled = page.objects.filter(({ uploaded }) => look.clock() - uploaded.getTime() >= SETTLE_MS);
      const strays = settled.length === 0 ? ok([]) : await straysOf(look, settled);
      if (!strays.ok) return strays;
      const unmarked = await withoutMarker(look.bucket, strays.value);
      const findings = unmarked.map(({ key }): Finding => ({
        kind,
        subject: key,
        label: namesUsers ? sha256HexSync(key).slice(0, LABEL_DIGITS) : key,
        detail: { objectKey: key, ...(kind === "report_without_row" ? { batchTag: batchOf(key) } : {}) },
      }));
      return ok({ findings, lookedAtCount: page.objects.length, next: page.next } satisfies CheckPage);
    },
  };
}

function batchOf(key: string): string {
  return key.slice(key.lastIndexOf("/") + 1).replace(/\.json$/, "");
}

/** What was removed but stays because a snapshot names it has a marker, and no row any more. */
async function withoutMarker(bucket: R2Bucket, strays: readonly R2Object[]): Promise<readonly R2Object[]> {
  const unmarked: R2Object[] = [];
  for (const object of strays) if ((await bucket.head(removalKey(object.key))) === null) unmarked.push(object);
  return unmarked;
}

async function unregistered(
  look: TenantLook,
  objects: readonly R2Object[],
): Promise<Result<readonly R2Object[], CheckFailure>> {
  const keys = objects.map(({ key }) => key);
  const rows = await readRows(look, selectRegisteredKeys(look.tenantId, keys));
  return rows.ok ? ok(withoutKeys(objects, rows.value)) : rows;
}

function withoutKeys(objects: readonly R2Object[], rows: readonly unknown[]): readonly R2Object[] {
  const known = new Set(rows.map((row) => objectKeyRowSchema.parse(row).object_key));
  return objects.filter(({ key }) => !known.has(key));
}

/** Sidecars beside no segment: `summaries/…/<first seq>.json` and `segments/…/<first seq>-….seg` lie side by side. */
async function besideNoSegment(
  look: TenantLook,
  objects: readonly R2Object[],
): Promise<Result<readonly R2Object[], CheckFailure>> {
  const segments = look.objectsUnder(`segments/${look.tenantId}/`);
  const strays: R2Object[] = [];
  for (const object of objects) {
    const stem = object.key.replace(/^summaries\//, "segments/").replace(/\.json$/, "-");
    if (!(await segments.hasUnder(stem))) strays.push(object);
  }
  return ok(strays);
}

/** Quarantine objects that still hold a text, that no row lists, and whose request is applied or is not there at all. */
async function unlistedTexts(
  look: TenantLook,
  objects: readonly R2Object[],
): Promise<Result<readonly R2Object[], CheckFailure>> {
  const keys = objects.map(({ key }) => key);
  const rows = await readRows(look, selectHeldKeys(look.tenantId, keys));
  if (!rows.ok) return rows;
  const strays: R2Object[] = [];
  for (const object of withoutKeys(objects, rows.value)) {
    const documents = await readObject(look.bucket, object.key);
    if (!documents.ok && documents.error.code === "storage_unavailable") return documents;
    if (documents.ok && documents.value.every(({ text }) => text === null)) continue;
    const pending = await isPending(look, object.key);
    if (!pending.ok) return pending;
    if (!pending.value) strays.push(object);
  }
  if (strays.length === 0) return ok(strays);
  // Once more, since the consumer may have come between the rows and its ledger.
  const listed = await readRows(look, selectHeldKeys(look.tenantId, keys));
  return listed.ok ? ok(withoutKeys(strays, listed.value)) : listed;
}

/** Whether ranges of the object's request wait for the consumer: it lists what is held. */
async function isPending(look: TenantLook, key: string): Promise<Result<boolean, CheckFailure>> {
  const walId = key.slice(key.lastIndexOf("/") + 1).replace(/\.mpz$/, "");
  const wal = await look.bucket.head(walKey(look.tenantId, walId));
  if (wal === null) return ok(false);
  const rows = await readRows(look, selectAppliedRanges(look.tenantId, [walId]));
  if (!rows.ok) return rows;
  const applied = rows.value.map((row) => appliedRangesRowSchema.parse(row).range_indexes.length)[0] ?? 0;
  return ok(applied < Number(wal.customMetadata?.["ranges"] ?? 0));
}

export const STRAY_CHECKS: readonly Check[] = [
  strayCheck({ kind: "pack_without_row", root: "packs", namesUsers: false, straysOf: unregistered }),
  strayCheck({ kind: "segment_without_row", root: "segments", namesUsers: true, straysOf: unregistered }),
  strayCheck({ kind: "summary_without_segment", root: "summaries", namesUsers: true, straysOf: besideNoSegment }),
  strayCheck({ kind: "held_object_without_row", root: "quarantine", namesUsers: false, straysOf: unlistedTexts }),
  strayCheck({
    kind: "report_without_row",
    root: "ingest_reports",
    namesUsers: false,
    straysOf: unregistered,
  }),
  strayCheck({ kind: "dictionary_without_row", root: "dictionaries", namesUsers: false, straysOf: unregistered }),
];
