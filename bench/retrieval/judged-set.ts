import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const documentSchema = z.object({ id: z.coerce.string(), title: z.string().default(""), text: z.string() });
const querySchema = z.object({ id: z.coerce.string(), text: z.string() });

/** Documents, queries and judgements: `docs.jsonl` {id, title, text}, `queries.jsonl` {id, text}, `qrels.tsv` query, document, grade. */
export interface JudgedSet {
  readonly documents: readonly z.infer<typeof documentSchema>[];
  readonly queries: readonly z.infer<typeof querySchema>[];
  /** Query id to document id to grade; over 0 is relevant. */
  readonly judgements: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

async function jsonLines<T>(path: string, schema: z.ZodType<T>): Promise<T[]> {
  const text = await readFile(path, "utf8");
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => schema.parse(JSON.parse(line)));
}

export async function readJudgedSet(folder: string): Promise<JudgedSet> {
  const judgements = new Map<string, Map<string, number>>();
  const lines = (await readFile(join(folder, "qrels.tsv"), "utf8")).split("\n").filter((line) => line !== "");
  for (const line of lines) {
    const [queryId = "", documentId = "", grade = "0"] = line.split("\t");
    const ofQuery = judgements.get(queryId) ?? new Map<string, number>();
    judgements.set(queryId, ofQuery.set(documentId, Number(grade)));
  }
  const documents = await jsonLines(join(folder, "docs.jsonl"), documentSchema);
  return { documents, queries: await jsonLines(join(folder, "queries.jsonl"), querySchema), judgements };
}

export interface RankingFigures {
  readonly ndcg10: number;
  readonly mrr10: number;
  readonly recall100: number;
}

/** Figures of one ranking of documents: gain grade / log2(rank + 1), ideal order from all judged documents, unjudged counts 0. Pure. */
export function figuresOf(ranking: readonly string[], judgements: ReadonlyMap<string, number>): RankingFigures {
  const discount = (index: number): number => 1 / Math.log2(index + 2);
  const gain = (grades: readonly number[]): number =>
    grades.slice(0, 10).reduce((sum, grade, index) => sum + Math.max(0, grade) * discount(index), 0);
  const grades = ranking.map((id) => judgements.get(id) ?? 0);
  const all = [...judgements.values()].filter((grade) => grade > 0);
  const ideal = gain(all.toSorted((a, b) => b - a));
  const first = grades.slice(0, 10).findIndex((grade) => grade > 0);
  return {
    ndcg10: ideal === 0 ? 0 : gain(grades) / ideal,
    mrr10: first === -1 ? 0 : 1 / (first + 1),
    recall100: all.length === 0 ? 0 : grades.slice(0, 100).filter((grade) => grade > 0).length / all.length,
  };
}

/** Mean of each figure. Pure. */
export function meanFigures(list: readonly RankingFigures[]): RankingFigures {
  const mean = (of: (figures: RankingFigures) => number): number =>
    list.reduce((sum, figures) => sum + of(figures), 0) / Math.max(1, list.length);
  return { ndcg10: mean((f) => f.ndcg10), mrr10: mean((f) => f.mrr10), recall100: mean((f) => f.recall100) };
}
