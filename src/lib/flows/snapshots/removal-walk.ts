import type { R2Bucket, R2Objects } from "@cloudflare/workers-types";
import { removalKey } from "./removal-marker.ts";

/**
 * Tells, for keys that come in ascending order, when each was removed. Walks the markers beside them: one page of markers in memory, and as many
 * listings as there are pages between the first key and the last.
 */
export class RemovalWalk {
  readonly #bucket: R2Bucket;
  readonly #prefix: string;
  #page: R2Objects["objects"] = [];
  #at = 0;
  #isExhausted = false;
  #startAfter: string;

  /** `prefix` begins all keys; the walk begins behind `after`, '' for the first. */
  constructor(bucket: R2Bucket, { prefix, after }: { readonly prefix: string; readonly after: string }) {
    this.#bucket = bucket;
    this.#prefix = removalKey(prefix);
    this.#startAfter = after === "" ? "" : removalKey(after);
  }

  /** When the key was removed, milliseconds, by the clock of R2; undefined: it was not. Throws when R2 fails. */
  async removedAtMs(key: string): Promise<number | undefined> {
    const wanted = removalKey(key);
    for (;;) {
      const marker = this.#page[this.#at];
      if (marker === undefined) {
        if (this.#isExhausted) return undefined;
        await this.#readPage();
      } else if (marker.key < wanted) {
        this.#at += 1;
      } else {
        return marker.key === wanted ? marker.uploaded.getTime() : undefined;
      }
    }
  }

  async #readPage(): Promise<void> {
    const after = this.#startAfter === "" ? {} : { startAfter: this.#startAfter };
    const listed = await this.#bucket.list({ prefix: this.#prefix, ...after });
    this.#page = listed.objects;
    this.#at = 0;
    this.#startAfter = listed.objects.at(-1)?.key ?? this.#startAfter;
    this.#isExhausted = !listed.truncated;
  }
}
