/** Facts of a log line: numbers, flags and short identifiers. Never user text, never a secret. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Structured log: one JSON object a line. */
export type Log = (event: string, fields?: LogFields) => void;

/** Writes log lines to a stream. */
export function jsonLog(stream: NodeJS.WritableStream, nowMs: () => number): Log {
  return (event, fields = {}) => {
    stream.write(`${JSON.stringify({ event, time: new Date(nowMs()).toISOString(), ...fields })}\n`);
  };
}
