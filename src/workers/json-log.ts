import type { Log, LogFields } from "../lib/base/log.ts";

const LEVELS = { info: 0, warn: 1, error: 2, silent: 3 } as const;
export type LogLevel = keyof typeof LEVELS;

export interface JsonLogOptions {
  readonly level: LogLevel;
  /** Counts error lines. */
  readonly onError: (event: string) => void;
  /** Id of the trace that the line belongs to. */
  readonly traceId: () => string | undefined;
}

/** One JSON object a line on the console, which `wrangler tail --format json` shows. */
export function createJsonLog({ level, onError, traceId }: JsonLogOptions): Log {
  const write = (line: Exclude<LogLevel, "silent">, event: string, fields: LogFields): void => {
    if (line === "error") onError(event);
    if (LEVELS[line] < LEVELS[level]) return;
    // oxlint-disable-next-line no-console -- the one place where log lines leave the Worker
    console.log(JSON.stringify({ event, level: line, trace_id: traceId(), ...fields }));
  };
  return {
    info: (event, fields) => write("info", event, fields),
    warn: (event, fields) => write("warn", event, fields),
    error: (event, fields) => write("error", event, fields),
  };
}
