import { BRIDGE_LIMITS } from "./bridge-limits.ts";

/**
 * Wait before attempt `failures` + 1, milliseconds: doubles from the first, full jitter in its upper half, so that bridges that failed together
 * do not come back together. Pure; `random` is 0..1.
 */
export function backoffMs(failures: number, maxMs: number, random: number): number {
  const ceiling = Math.min(maxMs, BRIDGE_LIMITS.backoffFirstMs * 2 ** Math.min(failures - 1, 16));
  return Math.round(ceiling / 2 + (random * ceiling) / 2);
}

/** Milliseconds that a `Retry-After` header asks for (RFC 9110: seconds or an HTTP date); undefined where there is none to read. Pure. */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  const waitMs = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(0, waitMs), BRIDGE_LIMITS.retryAfterMsMax);
}
