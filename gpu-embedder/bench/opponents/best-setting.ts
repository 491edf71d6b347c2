import type { TextSet } from "../support/text-sets.ts";
import type { Setting, Side } from "./side.ts";

export interface Chosen {
  readonly side: Side;
  readonly setting: Setting;
  /** Every setting with its tokens a second. */
  readonly trials: string;
  readonly firstVector: Float32Array;
}

/** Runs per setting: the better one counts, so that a pause of the machine decides nothing. */
const TRIALS = 2;

/** Tries every setting of a side on a small set, after one pass to warm up, and takes the fastest of its own. */
export async function bestSetting(side: Side, part: TextSet): Promise<Chosen> {
  const rates: string[] = [];
  let best: { setting: Setting; seconds: number } | undefined;
  let firstVector = new Float32Array(0);
  await side.settings[0]?.run(part);
  for (const setting of [...side.settings, ...side.otherSettings]) {
    let seconds = Infinity;
    for (let trial = 0; trial < TRIALS; trial += 1) {
      const run = await setting.run(part);
      seconds = Math.min(seconds, run.seconds);
      firstVector = new Float32Array(run.firstVector);
    }
    rates.push(`${setting.label} ${Math.round(part.tokenCount / seconds)}`);
    if (!side.settings.includes(setting)) continue;
    if (best === undefined || seconds < best.seconds) best = { setting, seconds };
  }
  if (best === undefined) throw new Error(`${side.name} has no setting`);
  return { side, setting: best.setting, trials: rates.join(", "), firstVector };
}
