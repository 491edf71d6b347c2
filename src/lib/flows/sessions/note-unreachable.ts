import type { Log } from "../../base/log.ts";

/** Logs that an object of sessions did not answer. The runtime's message says why; it quotes nothing that was sent. */
export function noteUnreachable(log: Pick<Log, "error">, object: "gate" | "log", thrown: unknown): void {
  const reason = thrown instanceof Error ? `${thrown.name}: ${thrown.message}`.slice(0, 200) : typeof thrown;
  log.error("session_object_unreachable", { object, reason });
}
