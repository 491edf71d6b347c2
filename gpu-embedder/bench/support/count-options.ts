import { z } from "zod";

/** A whole number of at least 1 on the command line. */
export const count = (fallback: number): z.ZodType<number> => z.coerce.number().int().min(1).default(fallback);

/** Such numbers with commas between them. */
export const counts = (fallback: string): z.ZodType<readonly number[]> =>
  z
    .string()
    .default(fallback)
    .transform((list) => list.split(",").map(Number))
    .pipe(z.array(z.int().min(1)).min(1));
