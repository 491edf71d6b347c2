import { HOUR_MS } from "../../../src/lib/base/durations.ts";

/** Thrown in the place of an answer: the process is gone, whatever the call did or did not do. */
export class Crash extends Error {
  override readonly name = "Crash";
}

/** Every how many awaited calls a crash is tried: as often as there is time for, or as CRASH_EVERY says; 1 takes each. */
export function crashEvery(usual: number): number {
  return Number(process.env["CRASH_EVERY"] ?? usual);
}

/** How long a campaign of crashes may take, milliseconds: an hour where somebody asked for more of them than there is usually time for. */
export const CAMPAIGN_MS_MAX = process.env["CRASH_EVERY"] === undefined ? 300_000 : HOUR_MS;

/**
 * When to crash: at the n-th awaited call of a port (from 0), before the call or after it took effect. The second kind is
 * the lost reply after commit.
 */
export interface CrashPlan {
  readonly callIndex: number;
  readonly moment: "before" | "after";
}

/** Counts awaited calls over all wrapped ports and crashes at the planned one. */
export class CrashPoint {
  readonly #plan: CrashPlan | undefined;
  callCount = 0;
  /** Nothing ran on after this. Flows may have turned the crash into a failure of the port: nobody is there to hear it. */
  hasCrashed = false;

  constructor(plan: CrashPlan | undefined) {
    this.#plan = plan;
  }

  /** The same port, whose async methods pass through this crash point. After the crash every call crashes: nothing runs on. */
  wrap<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return (...args: unknown[]): unknown => this.#pass(() => Reflect.apply(member, target, args));
      },
    });
  }

  async #pass(call: () => unknown): Promise<unknown> {
    const index = this.callCount;
    this.callCount += 1;
    const plan = this.#plan;
    if (plan === undefined || index < plan.callIndex) return await call();
    this.hasCrashed = true;
    if (index === plan.callIndex && plan.moment === "after") await call();
    throw new Crash(`crash ${plan.moment} call ${index}`);
  }
}
