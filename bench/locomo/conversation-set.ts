import { readFile } from "node:fs/promises";
import { z } from "zod";

/** One message of a conversation as it is streamed. */
export interface SetTurn {
  /** Unique in the conversation; what the evidence of questions names. */
  readonly id: string;
  readonly session: string;
  /** 1, 2, 3 … in the session. */
  readonly seq: number;
  readonly role: "user" | "assistant";
  readonly speaker: string | undefined;
  readonly text: string;
  readonly atMs: number;
}

export interface SetQuestion {
  readonly text: string;
  readonly category: string;
  readonly evidence: readonly string[];
}

export interface Conversation {
  readonly id: string;
  readonly turns: readonly SetTurn[];
  readonly questions: readonly SetQuestion[];
}

export const FORMATS = ["locomo", "beam"] as const;
export type Format = (typeof FORMATS)[number];

const locomoSchema = z.array(
  z.object({
    sample_id: z.string(),
    speaker_a: z.string(),
    sessions: z.array(
      z.object({
        session: z.union([z.string(), z.number()]).transform(String),
        date_time: z.string(),
        turns: z.array(
          z.object({ dia_id: z.string(), speaker: z.string(), text: z.string(), image_caption: z.string().optional() }),
        ),
      }),
    ),
    qa: z.array(z.object({ question: z.string(), category: z.coerce.string(), evidence: z.array(z.string()) })),
  }),
);

const beamSchema = z.object({
  id: z.coerce.string(),
  turns: z.array(
    z.object({
      id: z.coerce.string(),
      session: z.coerce.string(),
      role: z.enum(["user", "assistant"]),
      time: z.string().optional(),
      text: z.string(),
    }),
  ),
  questions: z.array(z.object({ question: z.string(), type: z.string(), evidence: z.array(z.coerce.string()) })),
});

/** Reads conversations with judged questions: LoCoMo's JSON, or one chat of BEAM a file. */
export async function readConversations(paths: readonly string[], format: Format): Promise<readonly Conversation[]> {
  const files = await Promise.all(
    paths.map(async (path): Promise<unknown> => JSON.parse(await readFile(path, "utf8"))),
  );
  return format === "locomo" ? files.flatMap(locomoConversations) : files.map(beamConversation);
}

function locomoConversations(file: unknown): Conversation[] {
  return locomoSchema.parse(file).map((sample) => ({
    id: sample.sample_id,
    turns: sample.sessions.flatMap(({ session, date_time: time, turns }) =>
      turns.map((turn, index) => ({
        id: turn.dia_id,
        session,
        seq: index + 1,
        role: turn.speaker === sample.speaker_a ? ("user" as const) : ("assistant" as const),
        speaker: turn.speaker,
        text: turn.image_caption === undefined ? turn.text : `${turn.text} [image: ${turn.image_caption}]`,
        atMs: timeOf(time) + index * 1_000,
      })),
    ),
    questions: sample.qa.map(({ question, category, evidence }) => ({ text: question, category, evidence })),
  }));
}

/** "1:56 pm on 8 May, 2023", taken as UTC. */
function timeOf(text: string): number {
  const [, time = "", half = "", date = ""] = /^(\d+:\d+) (am|pm) on (.+)$/.exec(text) ?? [];
  const ms = Date.parse(`${date.replace(",", "")} ${time} ${half} UTC`);
  if (Number.isNaN(ms)) throw new Error(`no time: ${text}`);
  return ms;
}

function beamConversation(file: unknown): Conversation {
  const chat = beamSchema.parse(file);
  let dayMs = 0;
  const seqs = new Map<string, number>();
  const turns = chat.turns.map(({ id, session, role, time, text }) => {
    if (time !== undefined) dayMs = Date.parse(time);
    const seq = (seqs.get(session) ?? 0) + 1;
    seqs.set(session, seq);
    return { id, session, seq, role, speaker: undefined, text, atMs: dayMs + seq * 1_000 };
  });
  const questions = chat.questions.map(({ question, type, evidence }) => ({
    text: question,
    category: type,
    evidence,
  }));
  return { id: `beam-${chat.id}`, turns, questions };
}
