import { Cron } from "croner";

export interface CronTicker {
  stop(): void;
}

/**
 * Fires cron triggers, which local workerd never does by itself. Times are UTC, as on the platform. A run that is still
 * going when the next one is due is not doubled.
 */
export function startCronTicker(options: {
  readonly crons: readonly string[];
  readonly fire: (cron: string, scheduledAtMs: number) => Promise<boolean>;
  readonly log: (line: string) => void;
}): CronTicker {
  const timers = options.crons.map(
    (pattern) =>
      new Cron(pattern, { timezone: "UTC", protect: true }, async (timer: Cron) => {
        const scheduledAtMs = timer.currentRun()?.getTime() ?? Date.now();
        try {
          if (!(await options.fire(pattern, scheduledAtMs))) options.log(`cron ${pattern} failed`);
        } catch {
          options.log(`cron ${pattern} could not be delivered`);
        }
      }),
  );
  return {
    stop: () => {
      for (const timer of timers) timer.stop();
    },
  };
}
