import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const questionSchema = z.object({
  corpus: z.string().regex(/^[\w-]+$/),
  question: z.string(),
  references: z.array(z.object({ start: z.number(), end: z.number() })).min(1),
});
export type ChunkingQuestion = z.infer<typeof questionSchema>;

/** Texts by name, and questions whose answers are ranges of them (UTF-16 units, end exclusive). */
export interface ChunkingSet {
  readonly corpora: ReadonlyMap<string, string>;
  readonly questions: readonly ChunkingQuestion[];
}

/** Reads `questions.jsonl` and the `corpora/NAME.md` that it names. Throws where the folder holds no such set. */
export async function readChunkingSet(folder: string): Promise<ChunkingSet> {
  const lines = (await readFile(join(folder, "questions.jsonl"), "utf8")).split("\n").filter((line) => line !== "");
  const questions = lines.map((line) => questionSchema.parse(JSON.parse(line)));
  const names = [...new Set(questions.map((question) => question.corpus))];
  const texts = await Promise.all(names.map((name) => readFile(join(folder, "corpora", `${name}.md`), "utf8")));
  return { corpora: new Map(names.map((name, index) => [name, texts[index] ?? ""])), questions };
}
