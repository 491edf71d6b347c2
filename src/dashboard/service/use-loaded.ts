import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ServiceError } from "./api.ts";

export interface Loaded<T> {
  /** The last value, also while the next one is on its way or failed to come. */
  readonly value: T | undefined;
  readonly error: ServiceError | undefined;
  readonly reload: () => void;
}

/**
 * Loads a value when the view appears and whenever `deps` change, and again every `everyMs` while the page can be seen. A request is given up when
 * its view goes; answers that come late are dropped.
 */
export function useLoaded<T>(
  load: (signal: AbortSignal) => Promise<T>,
  deps: readonly unknown[],
  everyMs?: number,
): Loaded<T> {
  const [state, setState] = useState<Omit<Loaded<T>, "reload">>({ value: undefined, error: undefined });
  const [round, setRound] = useState(0);
  const shown = useRef<readonly unknown[]>(deps);
  useEffect(() => {
    const controller = new AbortController();
    const isOther = shown.current.some((each, index) => each !== deps[index]);
    shown.current = deps;
    setState((before) => ({ value: isOther ? undefined : before.value, error: undefined }));
    load(controller.signal).then(
      (value) => {
        if (!controller.signal.aborted) setState({ value, error: undefined });
      },
      (thrown: unknown) => {
        if (controller.signal.aborted) return;
        setState((before) => ({ value: before.value, error: errorOf(thrown) }));
      },
    );
    return () => controller.abort();
    // `load` is made anew at each drawing: what it depends on stands in `deps`.
  }, [...deps, round]);
  const reload = useCallback(() => setRound((before) => before + 1), []);
  useEffect(() => {
    if (everyMs === undefined) return undefined;
    const timer = setInterval(() => {
      if (!document.hidden) reload();
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs, reload]);
  return { ...state, reload };
}

export function errorOf(thrown: unknown): ServiceError {
  if (thrown instanceof ServiceError) return thrown;
  const message = thrown instanceof Error ? thrown.message : "Something went wrong in this page.";
  return new ServiceError({ status: 0, code: "page", message, requestId: null });
}
