/** What a bridge says while it runs: codes, names and counts, never content. */
export interface BridgeLog {
  /** A state that an operator wants to see; `facts` are what is known of it. */
  event(name: string, facts?: Readonly<Record<string, string | number | null>>): void;
}

/** Lines for people, or JSON lines with `at`. Repeats of one event within the pause are told once: an outage is not a flood. */
export function createBridgeLog(options: {
  readonly isJson: boolean;
  readonly clock: () => number;
  readonly write: (line: string) => void;
}): BridgeLog {
  const lastAtMs = new Map<string, number>();
  return {
    event(name, facts = {}) {
      const nowMs = options.clock();
      const kind = `${name} ${facts["reason"] ?? ""}`;
      if (facts["reason"] !== undefined && nowMs - (lastAtMs.get(kind) ?? -Infinity) < REPEAT_AFTER_MS) return;
      if (lastAtMs.size >= KINDS_MAX) lastAtMs.clear();
      lastAtMs.set(kind, nowMs);
      const at = new Date(nowMs).toISOString();
      if (options.isJson) options.write(JSON.stringify({ at, event: name, ...facts }));
      else options.write([at, name, ...Object.entries(facts).map(([key, value]) => `${key}=${value}`)].join(" "));
    },
  };
}

/** Pause between two lines of one event and reason, milliseconds. */
const REPEAT_AFTER_MS = 10_000;
/** Kinds remembered: reasons are codes, so that there are few. */
const KINDS_MAX = 200;
