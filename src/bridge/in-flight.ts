import { BRIDGE_LIMITS } from "./bridge-limits.ts";
import { assert } from "../lib/base/assert.ts";

/** Requests on their way: so many at a time, and never two that hold the same document, which could overtake each other. */
export class InFlight {
  readonly #tasksMax: number;
  readonly #tasks = new Map<Promise<void>, ReadonlySet<string>>();

  constructor(tasksMax: number) {
    assert(tasksMax >= 1 && tasksMax <= BRIDGE_LIMITS.inFlightMax, "requests in flight are within their bounds");
    this.#tasksMax = tasksMax;
  }

  get isFull(): boolean {
    return this.#tasks.size >= this.#tasksMax;
  }

  /** Starts the task when there is room for it; the promise is that of the start. */
  async start(documentKeys: ReadonlySet<string>, task: () => Promise<void>): Promise<void> {
    for (let blockers = this.#blockers(documentKeys); blockers.length > 0; blockers = this.#blockers(documentKeys))
      await Promise.race(blockers);
    const running: Promise<void> = task().finally(() => this.#tasks.delete(running));
    this.#tasks.set(running, documentKeys);
  }

  /** Resolves when a task could start that shares no document with others. */
  async room(): Promise<void> {
    while (this.isFull) await Promise.race(this.#tasks.keys());
  }

  /** Resolves when nothing is on its way. */
  async settled(): Promise<void> {
    while (this.#tasks.size > 0) await Promise.all(this.#tasks.keys());
  }

  #blockers(documentKeys: ReadonlySet<string>): readonly Promise<void>[] {
    if (this.isFull) return [...this.#tasks.keys()];
    const sharing = [...this.#tasks].filter(([, keys]) => [...keys].some((key) => documentKeys.has(key)));
    return sharing.map(([task]) => task);
  }
}
