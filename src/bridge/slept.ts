import { setTimeout as sleep } from "node:timers/promises";

/** Waits; false when it was cut short. */
export async function slept(waitMs: number, signal: AbortSignal): Promise<boolean> {
  return sleep(waitMs, true, { signal }).catch(() => false);
}
