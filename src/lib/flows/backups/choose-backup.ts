import type { R2Bucket } from "@cloudflare/workers-types";
import { err, ok, type Result } from "../../base/result.ts";
import type { Damage } from "./damage.ts";
import {
  type BackupManifest,
  listBackupIds,
  manifestKey,
  readManifest,
  readTenantManifest,
  type TenantManifest,
} from "./manifest.ts";

/** The newest whole backup that began at a moment or before it; "latest": the newest. Undefined where there is none, or the moment is no time. */
export async function chooseBackup(bucket: R2Bucket, at: string): Promise<BackupManifest | undefined> {
  const latest = at === "latest" ? Infinity : Date.parse(at);
  for (const id of (await listBackupIds(bucket)).toReversed()) {
    const manifest = await readManifest(bucket, id);
    if (manifest.ok && Date.parse(manifest.value.started_at) <= latest) return manifest.value;
  }
  return undefined;
}

/** Backups of one chain: a full one, and at most a delta a night until the next. */
const CHAIN_MAX = 100;

export interface TenantChain {
  /** From the full one to the last. */
  readonly manifests: readonly TenantManifest[];
  /** Manifests on the way that cannot be read. */
  readonly damages: readonly Damage[];
}

/**
 * What the backups have of a tenant: the last one, and those that it builds on. Where a manifest of them cannot be read, the newest older backup that is whole
 * takes their place: what it does not know, the WAL brings again. No manifests: none is whole.
 */
export async function readChain(bucket: R2Bucket, last: BackupManifest, tenantId: string): Promise<TenantChain> {
  const damages: Damage[] = [];
  const ids = await listBackupIds(bucket);
  for (const id of ids.filter((each) => each <= last.backup_id).toReversed()) {
    const manifest = id === last.backup_id ? ok(last) : await readManifest(bucket, id);
    const entry = manifest.ok ? entryOf(manifest.value, tenantId) : undefined;
    if (entry === undefined) continue;
    const chain = await chainFrom(bucket, entry, tenantId);
    if (chain.ok) return { manifests: chain.value, damages };
    if (!damages.some(({ key }) => key === chain.error.key)) damages.push(chain.error);
  }
  return { manifests: [], damages };
}

type Entry = BackupManifest["tenants"][number];

function entryOf({ tenants }: BackupManifest, tenantId: string): Entry | undefined {
  return tenants.find((each) => each.tenant_id === tenantId);
}

async function chainFrom(
  bucket: R2Bucket,
  newest: Entry,
  tenantId: string,
): Promise<Result<readonly TenantManifest[], Damage>> {
  const manifests: TenantManifest[] = [];
  let entry = newest;
  while (manifests.length < CHAIN_MAX) {
    const manifest = await readTenantManifest(bucket, entry);
    if (!manifest.ok) return err({ key: entry.key, code: manifest.error });
    manifests.unshift(manifest.value);
    const { base } = manifest.value;
    if (base === null) return ok(manifests);
    const before = await readManifest(bucket, base);
    const next = before.ok ? entryOf(before.value, tenantId) : undefined;
    if (next === undefined) return err({ key: manifestKey(base), code: before.ok ? "missing" : before.error });
    entry = next;
  }
  return err({ key: newest.key, code: "unreadable" });
}
