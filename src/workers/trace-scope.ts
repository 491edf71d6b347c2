/**
 * The trace that the running work belongs to. It follows every await by itself (AsyncLocalStorage), so that log, embedder and database know it without
 * each flow handing it on; what leaves the isolate (objects, messages, calls of Durable Objects) carries its id as a field.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { type InTrace, isTraceId, newTraceId, type Trace, traceparentOf, traceWithin } from "../lib/base/trace.ts";

const scope = new AsyncLocalStorage<Trace>();

const fillRandom = (bytes: Uint8Array<ArrayBuffer>): void => void crypto.getRandomValues(bytes);

/** Runs the work in a stretch of its own: of the caller's trace where there is a whole one, else of one that begins here. */
export function inTraceOf<T>(caller: Parameters<typeof traceWithin>[0] | undefined, work: () => T): T {
  return scope.run(traceWithin(caller ?? { traceId: newTraceId(fillRandom) }, fillRandom), work);
}

/** The same for work whose trace is known by its id alone. */
export const inTrace: InTrace = (traceId, work) =>
  inTraceOf(traceId !== undefined && isTraceId(traceId) ? { traceId } : undefined, work);

export function currentTrace(): Trace | undefined {
  return scope.getStore();
}

/** Headers for a call that goes on in the trace. */
export function traceHeaders(): Readonly<Record<string, string>> {
  const trace = scope.getStore();
  return trace === undefined ? {} : { traceparent: traceparentOf(trace) };
}
