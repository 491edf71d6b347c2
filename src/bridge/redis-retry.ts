import { backoffMs } from "./backoff.ts";
import { BRIDGE_LIMITS } from "./bridge-limits.ts";
import { isRedisFailure } from "./redis-connection.ts";
import { slept } from "./slept.ts";

/** What the operation returned at last; undefined when `giveUp` came first. Only for what may be repeated. */
export async function untilRedisAnswers<T>(
  operation: () => Promise<T>,
  options: { readonly giveUp: AbortSignal; readonly onFailure: (error: Error) => void },
): Promise<{ readonly value: T } | undefined> {
  for (let failures = 0; !options.giveUp.aborted;) {
    try {
      return { value: await operation() };
    } catch (error) {
      if (!isRedisFailure(error)) throw error;
      failures += 1;
      options.onFailure(error);
      await slept(backoffMs(failures, BRIDGE_LIMITS.redisBackoffMaxMs, Math.random()), options.giveUp);
    }
  }
  return undefined;
}
