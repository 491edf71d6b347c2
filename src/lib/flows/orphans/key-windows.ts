import type { R2Bucket } from "@cloudflare/workers-types";
import { listPage } from "../../bucket/list-objects.ts";

/** Listings that are remembered: 20,000 keys, a few megabytes. */
const WINDOWS_MAX = 20;

/** What a listing tells of an object. */
interface ListedObject {
  readonly sizeBytes: number;
  /** Hash that the writer left beside the object; undefined where there is none. */
  readonly hash: string | undefined;
}

/** All keys between two: what is not there does not exist. */
interface KeyWindow {
  readonly from: string;
  /** The last key listed; undefined: the listing reached the end of the prefix. */
  readonly to: string | undefined;
  readonly objects: ReadonlyMap<string, ListedObject>;
}

/**
 * Looks objects up by listing: a thousand keys a call where most neighbours are asked for too. An object that a listing did not have is asked for by
 * itself, since it may have come after the listing. Throws when R2 fails.
 */
export class KeyWindows {
  readonly #bucket: R2Bucket;
  readonly #prefix: string;
  #windows: readonly KeyWindow[] = [];

  constructor(bucket: R2Bucket, prefix: string) {
    this.#bucket = bucket;
    this.#prefix = prefix;
  }

  async find(key: string): Promise<ListedObject | undefined> {
    return (await this.findListed(key)) ?? this.#head(key);
  }

  /** By listings alone: an object that is not there may have come after them. */
  async findListed(key: string): Promise<ListedObject | undefined> {
    return key.startsWith(this.#prefix) ? (await this.#windowAt(key)).objects.get(key) : undefined;
  }

  /** Whether there is an object whose key begins like this. */
  async hasUnder(stem: string): Promise<boolean> {
    const { objects } = await this.#windowAt(stem);
    for (const key of objects.keys()) if (key.startsWith(stem)) return true;
    return (await this.#bucket.list({ prefix: stem, limit: 1 })).objects.length > 0;
  }

  async #windowAt(key: string): Promise<KeyWindow> {
    return this.#windows.find((each) => covers(each, key)) ?? this.#list(key);
  }

  async #list(key: string): Promise<KeyWindow> {
    // Just before the key: R2 lists what comes after `startAfter`, and no key ends with U+0000.
    const startAfter = key.slice(0, -1);
    const page = await listPage(this.#bucket, { prefix: this.#prefix, startAfter, isWithMetadata: true });
    const window = {
      from: startAfter,
      to: page.next,
      objects: new Map(page.objects.map((object) => [object.key, listed(object)])),
    };
    this.#windows = [window, ...this.#windows].slice(0, WINDOWS_MAX);
    return window;
  }

  async #head(key: string): Promise<ListedObject | undefined> {
    const object = await this.#bucket.head(key);
    return object === null ? undefined : listed(object);
  }
}

/** R2 orders keys by their UTF-8 bytes; so do strings here, but for characters beyond the basic plane, which `encodeURIComponent` leaves in no key. */
function covers({ from, to }: KeyWindow, key: string): boolean {
  return key > from && (to === undefined || key <= to);
}

function listed(object: {
  readonly size: number;
  readonly customMetadata?: Record<string, string> | undefined;
}): ListedObject {
  return { sizeBytes: object.size, hash: object.customMetadata?.["hash"] };
}
