/** A turn-taking lock in order of arrival: one holder at a time, nobody overtakes, who gives up leaves the line. */
export interface Lane {
  /** Resolves with the function that ends the turn, or with undefined when the signal aborted before the turn came. */
  enter(signal: AbortSignal): Promise<(() => void) | undefined>;
}

export function createLane(): Lane {
  const waiting: (() => void)[] = [];
  let held = false;

  const leave = (): void => {
    const next = waiting.shift();
    if (next === undefined) held = false;
    else next();
  };

  return {
    enter(signal) {
      if (signal.aborted) return Promise.resolve(undefined);
      if (!held) {
        held = true;
        return Promise.resolve(leave);
      }
      return new Promise((resolve) => {
        const onAbort = (): void => {
          const index = waiting.indexOf(onTurn);
          if (index >= 0) waiting.splice(index, 1);
          resolve(undefined);
        };
        const onTurn = (): void => {
          signal.removeEventListener("abort", onAbort);
          resolve(leave);
        };
        signal.addEventListener("abort", onAbort, { once: true });
        waiting.push(onTurn);
      });
    },
  };
}
