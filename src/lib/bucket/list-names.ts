import type { R2Bucket } from "@cloudflare/workers-types";

/** Folders of one listing, such as tenants or backups. */
const NAMES_MAX = 10_000;

/**
 * Names of the folders directly under a prefix, in order of their keys, without the prefix and the slash behind them; what lies behind the page with the
 * ten-thousandth is left out. Throws when R2 fails.
 */
export async function listNames(bucket: R2Bucket, prefix: `${string}/`): Promise<readonly string[]> {
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await bucket.list({ prefix, delimiter: "/", ...(cursor === undefined ? {} : { cursor }) });
    for (const folder of page.delimitedPrefixes) names.push(folder.slice(prefix.length, -1));
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined && names.length < NAMES_MAX);
  return names;
}
