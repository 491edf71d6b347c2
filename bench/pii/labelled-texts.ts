import { readFileSync } from "node:fs";
import { z } from "zod";

const labelledTextSchema = z.object({
  text: z.string(),
  spans: z.array(z.object({ start: z.int().min(0), end: z.int().min(0), type: z.string() })),
});
export type LabelledText = z.infer<typeof labelledTextSchema>;
export type LabelledSpan = LabelledText["spans"][number];

/** A `.jsonl` file of `{text, spans: [{start, end, type}]}`, offsets in UTF-16 units. Throws on anything else. */
export function readLabelledTexts(path: string): readonly LabelledText[] {
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => labelledTextSchema.parse(JSON.parse(line)));
}
