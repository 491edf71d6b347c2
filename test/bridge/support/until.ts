import { setTimeout as sleep } from "node:timers/promises";

const POLL_EVERY_MS = 20;
const TIMEOUT_MS = 60_000;

/** Resolves when it holds. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const endAtMs = Date.now() + TIMEOUT_MS;
  while (!(await holds())) {
    if (Date.now() > endAtMs) throw new Error("it did not come to hold");
    await sleep(POLL_EVERY_MS);
  }
}
