import type { FramesReply } from "../lib/contract/session.ts";
import type { Metrics } from "./metrics.ts";

/** Counts the frames of one answer by what became of them. */
export function noteFrames(metrics: Pick<Metrics, "count">, { frames }: FramesReply): void {
  for (const [status, list] of Map.groupBy(frames, (frame) => frame.status))
    metrics.count("frames_total", { status }, list.length);
}
