import { setImmediate } from "node:timers/promises";

/**
 * Work of bulk requests on the thread that serves HTTP, one piece after another, each in a turn of the event loop of its own. A query that comes
 * meanwhile waits for one piece and not for those of every client; and the first request of many is done, and on its way to the device, while
 * the others still wait, where sharing the thread would have all of them done at the end.
 */
export class TurnLine {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs the task when those before it have ended, well or not. */
  run<T>(task: () => T | Promise<T>): Promise<T> {
    const result = this.#last.then(() => setImmediate()).then(task);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
