/** Slots that are looked at before a hash counts as new: bounds the time that hashes chosen to collide can cost. */
const PROBES_MAX = 32;

/**
 * Counts 32-bit hashes in a table that is kept between texts: allocating it costs more than measuring a short text. Holds at most
 * `entriesMax` different hashes; further ones count as new each time. Never yields while in use, so one table serves all texts.
 */
export class HashCounter {
  readonly #slotsMax: number;
  #hashes = new Int32Array(0);
  #counts = new Uint32Array(0);
  #mask = 0;
  #free = 0;

  /** `entriesMax` is a power of two. */
  constructor(entriesMax: number) {
    this.#slotsMax = entriesMax * 2;
  }

  /** Forgets all, and makes room for `entries` different hashes, as far as the maximum allows. O(entries). */
  reset(entries: number): void {
    const slots = Math.min(this.#slotsMax, 2 ** Math.ceil(Math.log2(Math.max(64, entries * 2))));
    if (this.#hashes.length < slots) {
      this.#hashes = new Int32Array(slots);
      this.#counts = new Uint32Array(slots);
    } else this.#counts.fill(0, 0, slots);
    this.#mask = slots - 1;
    this.#free = slots / 2;
  }

  /** Counts a hash and returns how often it was counted. */
  add(hash: number): number {
    const at = this.#slotOf(hash);
    if (at < 0) return 1;
    const count = (this.#counts[at] ?? 0) + 1;
    if (count === 1) {
      if (this.#free === 0) return 1;
      this.#free--;
      this.#hashes[at] = hash;
    }
    this.#counts[at] = count;
    return count;
  }

  /** How often a hash was counted. */
  countOf(hash: number): number {
    const at = this.#slotOf(hash);
    return at < 0 ? 0 : (this.#counts[at] ?? 0);
  }

  /** The slot that holds the hash, or the free one where it belongs; -1 where neither is near. */
  #slotOf(hash: number): number {
    const start = Math.imul(hash ^ (hash >>> 15), 0x9e3779b1) >>> 8;
    for (let probe = 0; probe < PROBES_MAX; probe++) {
      const at = (start + probe) & this.#mask;
      if (this.#counts[at] === 0 || this.#hashes[at] === hash) return at;
    }
    return -1;
  }
}
