import type { Log, LogFields } from "../lib/base/log.ts";

const LEVELS = { info: 0, warn: 1, error: 2, silent: 3 } as const;
export type LogLevel = keyof typeof LEVELS;

/** One JSON object a line on the console, which `wrangler tail --format json` shows. `onError` counts error lines. */
export function createJsonLog(level: LogLevel, onError: (event: string) => void): Log {
  const write = (line: Exclude<LogLevel, "silent">, event: string, fields: LogFields): void => {
    if (line === "error") onError(event);
    // oxlint-disable-next-line no-console -- the one place where log lines leave the Worker
    if (LEVELS[line] >= LEVELS[level]) console.log(JSON.stringify({ event, level: line, ...fields }));
  };
  return {
    info: (event, fields) => write("info", event, fields),
    warn: (event, fields) => write("warn", event, fields),
    error: (event, fields) => write("error", event, fields),
  };
}
