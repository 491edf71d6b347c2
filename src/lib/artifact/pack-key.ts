/** Names of packs in R2. */

const PACK_KEY = /^packs\/([a-z0-9][a-z0-9-]{0,47})\/(\d{8}T\d{6}Z)-(\d{1,10})-([0-9a-f]{8})\.mpz$/;

/** `packs/<tenant>/<yyyymmddThhmmssZ>-<documents>-<first 8 hex of the file's SHA-256>.mpz`: by time, and the same for the same bytes. */
export function packKey(pack: {
  readonly tenantId: string;
  readonly createdAtMs: number;
  readonly recordCount: number;
  readonly sha256: string;
}): string {
  const utc = `${new Date(pack.createdAtMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
  return `packs/${pack.tenantId}/${utc}-${pack.recordCount}-${pack.sha256.slice(0, 8)}.mpz`;
}

/** Parts of a pack's key, or undefined for any other key. */
export function parsePackKey(
  key: string,
):
  | { readonly tenantId: string; readonly utc: string; readonly recordCount: number; readonly sha8: string }
  | undefined {
  const [, tenantId, utc, count, sha8] = PACK_KEY.exec(key) ?? [];
  if (tenantId === undefined || utc === undefined || sha8 === undefined) return undefined;
  return { tenantId, utc, recordCount: Number(count), sha8 };
}
