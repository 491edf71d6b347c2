import { useState } from "preact/hooks";
import type { ServiceError } from "./api.ts";
import { errorOf } from "./use-loaded.ts";

export interface Action<A extends unknown[]> {
  readonly run: (...args: A) => Promise<void>;
  readonly isRunning: boolean;
  readonly error: ServiceError | undefined;
}

/** Something that a button starts: one at a time, its failure kept for showing. */
export function useAction<A extends unknown[]>(perform: (...args: A) => Promise<void>): Action<A> {
  const [isRunning, setRunning] = useState(false);
  const [error, setError] = useState<ServiceError | undefined>(undefined);
  const run = async (...args: A): Promise<void> => {
    if (isRunning) return;
    setRunning(true);
    setError(undefined);
    try {
      await perform(...args);
    } catch (thrown) {
      setError(errorOf(thrown));
    } finally {
      setRunning(false);
    }
  };
  return { run, isRunning, error };
}
