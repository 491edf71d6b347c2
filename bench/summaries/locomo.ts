/** Conversations in the format of LoCoMo (Maharana et al. 2024), as far as summaries are measured by them. */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { Spoken } from "../../src/lib/summarise/spoken-sentence.ts";

const conversationSchema = z.object({
  sample_id: z.string(),
  sessions: z.array(
    z.object({
      session: z.int(),
      date_time: z.string(),
      turns: z.array(z.object({ dia_id: z.string(), speaker: z.string(), text: z.string() })),
    }),
  ),
  qa: z.array(z.object({ question: z.string(), category: z.int(), evidence: z.array(z.string()) })),
  session_summaries: z.record(z.string(), z.string()),
});

/** One session: what was said, and the summary that the set has of it. */
export interface Talk {
  readonly conversation: string;
  readonly session: number;
  readonly turns: readonly Spoken[];
  readonly reference: string;
}

export interface Question {
  readonly conversation: string;
  readonly text: string;
  /** Sessions that hold the evidence. */
  readonly sessions: ReadonlySet<number>;
}

/** Questions whose premise is wrong by design have no place in recall. */
const ADVERSARIAL_CATEGORY = 5;
const TURN_MS = 60_000;

/** "1:56 pm on 8 May, 2023" in UTC. */
function timeOf(text: string): number {
  const parts = /^(\d+):(\d+) (am|pm) on (\d+ \w+, \d+)$/.exec(text);
  const day = Date.parse(`${parts?.[4] ?? ""} UTC`);
  if (parts === null || Number.isNaN(day)) throw new Error(`not a time of the set: ${text}`);
  const hour = (Number(parts[1]) % 12) + (parts[3] === "pm" ? 12 : 0);
  return day + (hour * 60 + Number(parts[2])) * 60_000;
}

/** Reads the set. Sessions without a reference are left out. */
export async function readTalks(
  path: string,
): Promise<{ readonly talks: readonly Talk[]; readonly questions: readonly Question[] }> {
  const conversations = z.array(conversationSchema).parse(JSON.parse(await readFile(path, "utf8")));
  const talks = conversations.flatMap(({ sample_id: conversation, sessions, session_summaries: references }) =>
    sessions.flatMap(({ session, date_time: time, turns }) => {
      const reference = references[`session_${session}`];
      if (reference === undefined) return [];
      const startMs = timeOf(time);
      const spoken = turns.map(({ speaker, text }, index) => ({
        seq: index + 1,
        atMs: startMs + index * TURN_MS,
        speaker,
        text,
      }));
      return [{ conversation, session, turns: spoken, reference }];
    }),
  );
  const questions = conversations.flatMap(({ sample_id: conversation, qa }) =>
    qa
      .filter(({ category, evidence }) => category !== ADVERSARIAL_CATEGORY && evidence.length > 0)
      .map(({ question, evidence }) => ({
        conversation,
        text: question,
        sessions: new Set(evidence.map((id) => Number(/^D(\d+):/.exec(id)?.[1]))),
      })),
  );
  return { talks, questions };
}
