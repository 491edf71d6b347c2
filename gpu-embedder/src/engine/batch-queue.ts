/** Bounds of one batch. */
export type BatchBudget = {
  /** Padded tokens of a batch; a single longer text still goes, alone. */
  readonly tokensMax: number;
  readonly textsMax: number;
  /** Padding that a text may add, as a share of the batch: beyond it the text waits for others of its length. */
  readonly paddingShareMax: number;
  /** Padding of a batch up to this many tokens is always accepted: a further run of the model costs more. */
  readonly paddingTokensFree: number;
  /** A batch without padding that has this many tokens stays without it: texts of other lengths wait for a batch of their own. */
  readonly unpaddedTokensEnough: number;
};

/** One text in the queue. `owner` groups the texts of one request, for fairness between requests. */
export type QueueEntry<T> = { readonly tokenCount: number; readonly owner: object; readonly value: T };

type Slot<T> = { readonly entry: QueueEntry<T>; taken: boolean };
type Bucket<T> = { slots: Slot<T>[]; head: number };

/**
 * Waiting texts of one lane, given out as batches of like length. Every batch starts with the longest waiting text of the request
 * whose turn it is (round robin), so that no request starves and none monopolises; it is filled with the texts nearest in length,
 * whosever they are. Pure: no clock, no I/O. All operations are amortised O(1) per text, plus the span of lengths looked at.
 */
export class BatchQueue<T> {
  readonly #buckets = new Map<number, Bucket<T>>();
  readonly #turns: { readonly owner: object; readonly slots: Slot<T>[]; next: number }[] = [];
  #tokens = 0;
  #texts = 0;

  /** Tokens waiting. */
  get tokenCount(): number {
    return this.#tokens;
  }

  /** Texts waiting. */
  get textCount(): number {
    return this.#texts;
  }

  /** Adds the texts of one request. They share one turn. */
  add(entries: readonly QueueEntry<T>[]): void {
    const first = entries[0];
    if (first === undefined) return;
    const slots = entries.map((entry) => ({ entry, taken: false }));
    slots.sort((a, b) => b.entry.tokenCount - a.entry.tokenCount);
    for (const slot of slots) {
      const bucket = this.#buckets.get(slot.entry.tokenCount);
      if (bucket === undefined) this.#buckets.set(slot.entry.tokenCount, { slots: [slot], head: 0 });
      else bucket.slots.push(slot);
      this.#tokens += slot.entry.tokenCount;
      this.#texts += 1;
    }
    this.#turns.push({ owner: first.owner, slots, next: 0 });
  }

  /** Takes out every text of a request that is no longer wanted. */
  remove(owner: object): void {
    const index = this.#turns.findIndex((turn) => turn.owner === owner);
    if (index < 0) return;
    for (const slot of this.#turns[index]?.slots ?? []) this.#take(slot);
    this.#turns.splice(index, 1);
  }

  /** The next batch, or an empty one when nothing waits. */
  next(budget: BatchBudget): readonly QueueEntry<T>[] {
    const seed = this.#seed();
    if (seed === undefined) return [];
    this.#take(seed);
    const batch = [seed.entry];
    let longest = seed.entry.tokenCount;
    let tokens = longest;
    for (;;) {
      if (batch.length >= budget.textsMax) return batch;
      const candidate = this.#nearest(seed.entry.tokenCount);
      if (candidate === undefined) return batch;
      const isUnpadded = longest * batch.length === tokens;
      const wouldPad = candidate.entry.tokenCount !== longest;
      if (isUnpadded && wouldPad && tokens >= budget.unpaddedTokensEnough) return batch;
      longest = Math.max(longest, candidate.entry.tokenCount);
      tokens += candidate.entry.tokenCount;
      const padded = longest * (batch.length + 1);
      if (
        padded > budget.tokensMax ||
        padded - tokens > Math.max(budget.paddingTokensFree, padded * budget.paddingShareMax)
      )
        return batch;
      this.#take(candidate);
      batch.push(candidate.entry);
    }
  }

  #take(slot: Slot<T>): void {
    if (slot.taken) return;
    slot.taken = true;
    this.#tokens -= slot.entry.tokenCount;
    this.#texts -= 1;
  }

  /** Longest waiting text of the request whose turn it is; the request then goes to the end of the line. */
  #seed(): Slot<T> | undefined {
    for (;;) {
      const turn = this.#turns.shift();
      if (turn === undefined) return undefined;
      while (turn.slots[turn.next]?.taken === true) turn.next += 1;
      const slot = turn.slots[turn.next];
      if (slot === undefined) continue;
      turn.next += 1;
      if (turn.next < turn.slots.length) this.#turns.push(turn);
      return slot;
    }
  }

  #oldest(tokenCount: number): Slot<T> | undefined {
    const bucket = this.#buckets.get(tokenCount);
    if (bucket === undefined) return undefined;
    while (bucket.slots[bucket.head]?.taken === true) bucket.head += 1;
    const slot = bucket.slots[bucket.head];
    if (slot === undefined) this.#buckets.delete(tokenCount);
    return slot;
  }

  /** The waiting text nearest in length to `tokenCount`; the shorter of two equally near. */
  #nearest(tokenCount: number): Slot<T> | undefined {
    let best: Slot<T> | undefined;
    for (const length of this.#buckets.keys()) {
      const distance = Math.abs(length - tokenCount);
      const bestDistance = best === undefined ? Infinity : Math.abs(best.entry.tokenCount - tokenCount);
      if (distance > bestDistance || (distance === bestDistance && length > tokenCount)) continue;
      best = this.#oldest(length) ?? best;
    }
    return best;
  }
}
