/** A column that no writer makes: lengths that do not add up, an index outside, a value of another type. */
export type ColumnError = { readonly code: "column_malformed" };
