/** Listings of a bucket, in order of keys. Each throws when R2 fails. */
import type { R2Bucket, R2Object } from "@cloudflare/workers-types";

/** Keys of one list call, and of one delete call: the most that R2 takes. */
export const KEYS_PER_CALL = 1_000;

/** Pages of a listing that names no bound of its own: a hundred million objects. */
const PAGES_MAX = 100_000;

export interface Listing {
  readonly prefix: string;
  /** Only keys behind this one; '' for all. */
  readonly startAfter?: string;
  /** Objects come with their metadata. */
  readonly isWithMetadata?: boolean;
  /** Keys of a page where a caller wants fewer than R2 gives. */
  readonly keysMax?: number;
}

export interface ListedPage {
  readonly objects: readonly R2Object[];
  /** The key behind which the next page begins; undefined on the last one. */
  readonly next: string | undefined;
}

export async function listPage(
  bucket: R2Bucket,
  { prefix, startAfter = "", isWithMetadata = false, keysMax = KEYS_PER_CALL }: Listing,
): Promise<ListedPage> {
  const { objects, truncated } = await bucket.list({
    prefix,
    limit: keysMax,
    ...(isWithMetadata ? { include: ["customMetadata", "httpMetadata"] } : {}),
    ...(startAfter === "" ? {} : { startAfter }),
  });
  return { objects, next: truncated ? objects.at(-1)?.key : undefined };
}

/**
 * All pages, one call each. What lies behind `pagesMax` pages is left out; a listing without that bound throws where it does not come to an end, so that
 * nobody takes a part of it for the whole.
 */
export async function* listPages(
  bucket: R2Bucket,
  { pagesMax, ...listing }: Listing & { readonly pagesMax?: number },
): AsyncGenerator<readonly R2Object[], void> {
  let { startAfter } = listing;
  for (let pageCount = 0; pageCount < (pagesMax ?? PAGES_MAX); pageCount += 1) {
    const page = await listPage(bucket, { ...listing, ...(startAfter === undefined ? {} : { startAfter }) });
    yield page.objects;
    if (page.next === undefined) return;
    startAfter = page.next;
  }
  if (pagesMax === undefined) throw new RangeError(`a listing of more than ${PAGES_MAX} pages`);
}

/** All objects, page by page as they are asked for. */
export async function* listObjects(
  bucket: R2Bucket,
  listing: Parameters<typeof listPages>[1],
): AsyncGenerator<R2Object, void> {
  for await (const page of listPages(bucket, listing)) yield* page;
}

/** All objects at once, for prefixes with few of them; what lies behind `pagesMax` pages is left out. */
export async function listAll(
  bucket: R2Bucket,
  listing: Listing & { readonly pagesMax: number },
): Promise<readonly R2Object[]> {
  const objects: R2Object[] = [];
  for await (const page of listPages(bucket, listing)) objects.push(...page);
  return objects;
}
