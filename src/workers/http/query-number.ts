import { z } from "zod";

/** A number in a query. Empty is no number: JavaScript would take it for 0. */
export function queryNumber<Schema extends z.ZodCoercedNumber>(schema: Schema): z.ZodPreprocess<Schema> {
  return z.preprocess((value) => (value === "" ? Number.NaN : value), schema);
}
