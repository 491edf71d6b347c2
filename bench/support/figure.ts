import { z } from "zod";
import { median } from "./statistics.ts";

const sideSchema = z.object({ name: z.string(), samples: z.array(z.number()).min(1) });

/** One measured figure. Samples stand in the order of the alternations, so that the n-th of both sides ran next to each other. */
export const figureSchema = z.object({
  name: z.string(),
  unit: z.string(),
  ours: sideSchema,
  /** What the figure stands against, measured in the same run; absent where it stands alone. */
  opponent: sideSchema.optional(),
  /** Bounds of the median ratio ours / opponent, or of our median where there is no opponent. */
  target: z.number().optional(),
  aim: z.number().optional(),
  /** The smaller the better: then the bounds are upper ones. */
  isCost: z.boolean().optional(),
  note: z.string().optional(),
});
export type Figure = z.infer<typeof figureSchema>;

/** What a bench leaves for the table of `run-all.ts`. */
export const benchReportSchema = z.object({
  bench: z.string(),
  figures: z.array(figureSchema),
  /** Why a part was left out, one sentence each. */
  skipped: z.array(z.string()),
  /** Lines that explain the figures: shares of time, settings. */
  details: z.array(z.string()),
});
export type BenchReport = z.infer<typeof benchReportSchema>;

/** Ratios of the alternations, ours over the opponent's. */
export function ratiosOf(figure: Figure): readonly number[] {
  const { opponent } = figure;
  if (opponent === undefined) return [];
  return figure.ours.samples.flatMap((sample, index) => {
    const other = opponent.samples[index];
    return other === undefined ? [] : [sample / other];
  });
}

/** Whether the median keeps the bound; undefined where the figure has none. */
export function meets(figure: Figure, bound: number | undefined): boolean | undefined {
  if (bound === undefined) return undefined;
  const ratios = ratiosOf(figure);
  const value = median(figure.opponent === undefined ? figure.ours.samples : ratios);
  return figure.isCost === true ? value <= bound : value >= bound;
}
