/** When what is to be done to a log. Pure; times are milliseconds since the Unix epoch. */
import { MINUTE_MS } from "../base/durations.ts";
import type { BatchRow, SessionRow } from "./log-rows.ts";

/** A micro-batch is closed at once when it has this much; a request that makes it larger still stays one batch. */
export const MICRO_BATCH = { closeAtEvents: 100, closeAtBytes: 256 * 1024, eventsMax: 1_000 } as const;

/** An unregistered segment is announced again after this time. */
export const ANNOUNCE_EVERY_MS = 5 * MINUTE_MS;
/** Shortest and longest pause after work that failed. */
const RETRY_MS = { first: 1_000, longest: 60_000 } as const;

export interface LogSettings {
  readonly flushMs: number;
  readonly rotateBytes: number;
  readonly rotateMs: number;
  readonly idleMs: number;
  readonly leaseMs: number;
}

/** What the rules look at. */
export interface LogState {
  readonly session: SessionRow;
  /** The oldest batch that is not sent. */
  readonly nextBatch: Pick<BatchRow, "state" | "firstSeq" | "lastSeq" | "sizeBytes" | "openedAtMs"> | undefined;
  readonly hasPlan: boolean;
  /** When the unregistered segment that waits longest was announced; 0 for never, null for none. */
  readonly oldestAnnouncementMs: number | null;
}

/** Whether a batch is to be written whatever the clock says. */
function isFull(batch: NonNullable<LogState["nextBatch"]>): boolean {
  return (
    batch.state === "closed" ||
    batch.lastSeq - batch.firstSeq + 1 >= MICRO_BATCH.closeAtEvents ||
    batch.sizeBytes >= MICRO_BATCH.closeAtBytes
  );
}

/** When the oldest unsent batch is to be written, null where there is none. */
function flushAtMs({ nextBatch }: LogState, settings: LogSettings): number | null {
  if (nextBatch === undefined) return null;
  return isFull(nextBatch) ? 0 : nextBatch.openedAtMs + settings.flushMs;
}

/** When the events that are in no segment are to be sealed, null where there are none. */
function sealAtMs({ session, hasPlan }: LogState, settings: LogSettings): number | null {
  if (session.logFirstAtMs === null) return null;
  const isNow = hasPlan || session.sealAskedSeq > 0 || session.isClosed || session.logBytes >= settings.rotateBytes;
  return isNow ? 0 : session.logFirstAtMs + settings.rotateMs;
}

/** When the session closes for want of events. */
function closeAtMs({ session }: LogState, settings: LogSettings): number | null {
  return session.isClosed ? null : session.activeAtMs + settings.idleMs;
}

/** A lease is renewed when half of it is over. */
function renewAtMs({ session }: LogState, settings: LogSettings): number | null {
  return session.isClosed ? null : session.leaseExpiresAtMs - settings.leaseMs / 2;
}

function announceAtMs({ oldestAnnouncementMs }: LogState): number | null {
  return oldestAnnouncementMs === null ? null : oldestAnnouncementMs + ANNOUNCE_EVERY_MS;
}

export interface DueWork {
  readonly flush: boolean;
  readonly seal: boolean;
  readonly close: boolean;
  readonly renew: boolean;
  readonly announce: boolean;
}

/** What is due now. Closing comes with sealing, and sealing with flushing, whatever the clocks of those say. */
export function dueWork(state: LogState, settings: LogSettings, nowMs: number): DueWork {
  const isDue = (atMs: number | null): boolean => atMs !== null && atMs <= nowMs;
  return {
    flush: isDue(flushAtMs(state, settings)),
    seal: isDue(sealAtMs(state, settings)),
    close: isDue(closeAtMs(state, settings)),
    renew: isDue(renewAtMs(state, settings)),
    announce: isDue(announceAtMs(state)),
  };
}

/** When the log has to be looked at next; null for never, as far as it is known now. */
export function wakeAtMs(state: LogState, settings: LogSettings): number | null {
  const times = [flushAtMs, sealAtMs, closeAtMs, renewAtMs, announceAtMs]
    .map((rule) => rule(state, settings))
    .filter((atMs) => atMs !== null);
  return times.length === 0 ? null : Math.min(...times);
}

/** Pause after the n-th failure in a row, counted from 1. */
export function retryAfterMs(failureCount: number): number {
  return Math.min(RETRY_MS.longest, RETRY_MS.first * 2 ** Math.min(16, failureCount - 1));
}
