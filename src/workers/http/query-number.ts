import { z } from "zod";

/** A number in a query. Blank is no number: JavaScript would take it for 0. */
export function queryNumber<Schema extends z.ZodCoercedNumber>(schema: Schema): z.ZodPreprocess<Schema> {
  return z.preprocess((value) => (typeof value === "string" && value.trim() === "" ? Number.NaN : value), schema);
}
