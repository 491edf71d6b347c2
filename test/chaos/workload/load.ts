/** Clients that do not give up: what was not answered is sent again as it was, until it is. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Told } from "../told.ts";

/** Whether the load goes on, and what clients met. */
export interface Load {
  readonly told: Told;
  isOver: boolean;
  /** Requests that failed and were sent again. */
  failureCount: number;
  /** Requests of a key that had been answered before. */
  repeatCount: number;
  /** What no patience helped: a fault of the system by itself. */
  readonly unanswered: string[];
}

const RETRY_EVERY_MS = 300;
/** Far longer than any outage of a plan. */
const PATIENCE_MS = 120_000;

/** The value, or undefined when patience ran out. */
export async function untilAnswered<T>(load: Load, name: string, ask: () => Promise<T>): Promise<T | undefined> {
  for (const endAtMs = Date.now() + PATIENCE_MS; ;) {
    try {
      return await ask();
    } catch (error) {
      load.failureCount += 1;
      if (Date.now() > endAtMs) {
        load.unanswered.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
        return undefined;
      }
      await sleep(RETRY_EVERY_MS);
    }
  }
}
