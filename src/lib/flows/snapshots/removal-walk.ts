import type { R2Bucket, R2Object } from "@cloudflare/workers-types";
import { listObjects } from "../../bucket/list-objects.ts";
import { removalKey } from "./removal-marker.ts";

/**
 * Tells, for keys that come in ascending order, when each was removed. Walks the markers beside them: one page of markers in memory, and as many
 * listings as there are pages between the first key and the last.
 */
export class RemovalWalk {
  readonly #markers: AsyncGenerator<R2Object, void>;
  #marker: R2Object | undefined;

  /** `prefix` begins all keys; the walk begins behind `after`, '' for the first. */
  constructor(bucket: R2Bucket, { prefix, after }: { readonly prefix: string; readonly after: string }) {
    this.#markers = listObjects(bucket, {
      prefix: removalKey(prefix),
      startAfter: after === "" ? "" : removalKey(after),
    });
  }

  /** When the key was removed, milliseconds, by the clock of R2; undefined: it was not. Throws when R2 fails. */
  async removedAtMs(key: string): Promise<number | undefined> {
    const wanted = removalKey(key);
    while (this.#marker === undefined || this.#marker.key < wanted) {
      const next = await this.#markers.next();
      if (next.done === true) return undefined;
      this.#marker = next.value;
    }
    return this.#marker.key === wanted ? this.#marker.uploaded.getTime() : undefined;
  }
}
