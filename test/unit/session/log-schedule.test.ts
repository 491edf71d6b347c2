import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dueWork, retryAfterMs, wakeAtMs, type LogState } from "../../../src/lib/session/log-schedule.ts";
import type { SessionRow } from "../../../src/lib/session/log-rows.ts";

const SETTINGS = { flushMs: 1_000, rotateBytes: 1_000_000, rotateMs: 600_000, idleMs: 300_000, leaseMs: 900_000 };

const SESSION: SessionRow = {
  tenantId: "t",
  userId: "",
  sessionId: "s",
  source: "session",
  salt: "",
  isClosed: false,
  openedAtMs: 0,
  activeAtMs: 0,
  lastEventAtMs: null,
  leaseExpiresAtMs: 900_000,
  receivedSeq: 0,
  durableSeq: 0,
  queuedSeq: 0,
  embeddedSeq: 0,
  sealedSeq: 0,
  refusedCount: 0,
  turns: [],
  sealAskedSeq: 0,
  logBytes: 0,
  logFirstAtMs: null,
  judgedBy: null,
};
const BATCH = { state: "open", firstSeq: 1, lastSeq: 1, sizeBytes: 10, openedAtMs: 5_000 } as const;
const IDLE: LogState = { session: SESSION, nextBatch: undefined, hasPlan: false, oldestAnnouncementMs: null };

const NOTHING = { flush: false, seal: false, close: false, renew: false, announce: false };
const due = (state: Partial<LogState>, nowMs: number) => dueWork({ ...IDLE, ...state }, SETTINGS, nowMs);
const withSession = (more: Partial<SessionRow>) => ({ session: { ...SESSION, ...more } });

describe("what is due to a log", () => {
  it("is a flush a second after the batch was opened, or at once when it is full", () => {
    expect(due({ nextBatch: BATCH }, 5_999).flush).toBe(false);
    expect(due({ nextBatch: BATCH }, 6_000).flush).toBe(true);
    expect(due({ nextBatch: { ...BATCH, lastSeq: 100 } }, 5_000).flush).toBe(true);
    expect(due({ nextBatch: { ...BATCH, sizeBytes: 256 * 1024 } }, 5_000).flush).toBe(true);
    expect(due({ nextBatch: { ...BATCH, state: "closed" } }, 5_000).flush).toBe(true);
  });

  it("is a segment by size, by age, on demand and when the session is closed", () => {
    const log = { logFirstAtMs: 0, logBytes: 10 };
    expect(due(withSession(log), 1_000)).toEqual(NOTHING);
    expect(due(withSession({ ...log, logBytes: 1_000_000 }), 1_000).seal).toBe(true);
    expect(due(withSession({ ...log, activeAtMs: 600_000 }), 600_000).seal).toBe(true);
    expect(due(withSession({ ...log, sealAskedSeq: 1 }), 1_000).seal).toBe(true);
    expect(due(withSession({ ...log, isClosed: true }), 1_000).seal).toBe(true);
    expect(due(withSession({ isClosed: true }), 1_000)).toEqual(NOTHING);
  });

  it("is a renewal at half the lease, and the end after five idle minutes", () => {
    expect(due(withSession({ activeAtMs: 440_000 }), 450_000)).toEqual({ ...NOTHING, renew: true });
    expect(due({}, 300_000)).toEqual({ ...NOTHING, close: true });
  });

  it("is an announcement at once, and then every five minutes", () => {
    expect(due({ oldestAnnouncementMs: 0 }, 1_000_000).announce).toBe(true);
    expect(due({ oldestAnnouncementMs: 100_000 }, 200_000).announce).toBe(false);
  });

  it("is something exactly from the time at which the log asks to be woken", () => {
    const times = fc.integer({ min: 0, max: 2_000_000 });
    const states = fc.record({
      session: fc.record({
        isClosed: fc.boolean(),
        activeAtMs: times,
        leaseExpiresAtMs: times,
        logFirstAtMs: fc.option(times),
        logBytes: fc.integer({ min: 0, max: 2_000_000 }),
        sealAskedSeq: fc.integer({ min: 0, max: 1 }),
      }),
      nextBatch: fc.option(
        fc.record({
          openedAtMs: times,
          state: fc.constantFrom("open" as const, "closed" as const),
          lastSeq: fc.integer({ min: 1, max: 200 }),
        }),
        { nil: undefined },
      ),
      hasPlan: fc.boolean(),
      oldestAnnouncementMs: fc.option(times),
    });
    fc.assert(
      fc.property(states, ({ session, nextBatch, ...rest }) => {
        const batch = nextBatch === undefined ? undefined : { ...BATCH, ...nextBatch };
        const state: LogState = { ...rest, session: { ...SESSION, ...session }, nextBatch: batch };
        const atMs = wakeAtMs(state, SETTINGS);
        const isAnythingDue = (nowMs: number) => Object.values(dueWork(state, SETTINGS, nowMs)).includes(true);
        const looks = atMs === null ? [Number.MAX_SAFE_INTEGER] : [atMs - 1, atMs];
        expect(looks.map(isAnythingDue)).toEqual(atMs === null ? [false] : [false, true]);
      }),
    );
  });
});

describe("the pause after failures", () => {
  it("doubles from a second to a minute", () => {
    expect([1, 2, 3, 7, 1_000].map(retryAfterMs)).toEqual([1_000, 2_000, 4_000, 60_000, 60_000]);
  });
});
