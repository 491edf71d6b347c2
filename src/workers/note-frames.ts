import type { Appended } from "../lib/flows/sessions/append-frames.ts";
import { countInputs } from "./count-inputs.ts";
import type { Metrics } from "./metrics.ts";

/** Counts the frames of one answer by what became of them, and those that are new as inputs. */
export function noteFrames(metrics: Pick<Metrics, "count">, { reply, documents }: Appended): void {
  for (const [status, list] of Map.groupBy(reply.frames, (frame) => frame.status))
    metrics.count("frames_total", { status }, list.length);
  countInputs(metrics, documents);
}
