import { z } from "zod";
import type { LineProcess } from "../../../bench/support/line-process.ts";
import type { TextSet } from "../support/text-sets.ts";
import type { SideRun } from "./side.ts";

/** A pass that takes longer than this has hung. */
const PASS_TIMEOUT_MS = 15 * 60_000;

const doneSchema = z.object({ seconds: z.number().positive(), first_vector: z.array(z.number()) });

/** Has a process embed a set; it takes the time itself. Rejects when it hangs. */
export async function askForRun(side: LineProcess, set: TextSet, settings: object): Promise<SideRun> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no reply within ${PASS_TIMEOUT_MS / 60_000} minutes`)), PASS_TIMEOUT_MS);
  });
  try {
    const reply = await Promise.race([side.ask(JSON.stringify({ file: set.file, ...settings })), timeout]);
    const { seconds, first_vector: firstVector } = doneSchema.parse(reply);
    return { seconds, firstVector: Float32Array.from(firstVector) };
  } finally {
    clearTimeout(timer);
  }
}
