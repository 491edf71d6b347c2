import type { Log } from "../../base/log.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import { noteUnreachable } from "./note-unreachable.ts";

/** Asks the log of a session. An object that is being moved, restarted or overloaded fails its calls: `sessions_unavailable`, and asking again may reach it. */
export async function askLog<T>(
  { log }: { readonly log: Pick<Log, "error"> },
  ask: () => Promise<T>,
): Promise<Result<T, Problem>> {
  try {
    return ok(await ask());
  } catch (thrown) {
    noteUnreachable(log, "log", thrown);
    return err({ code: "sessions_unavailable" });
  }
}
