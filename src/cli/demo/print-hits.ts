import { z } from "zod";
import type { ApiClient } from "../api-client.ts";
import { style } from "../terminal/style.ts";

/** What the demo reads of a search reply. */
const replySchema = z.object({
  results: z.array(
    z.object({
      document_id: z.string(),
      tier: z.string(),
      text: z.string(),
      score: z.number(),
      score_parts: z.record(z.string(), z.unknown()).optional(),
      title: z.string().nullish(),
      source: z.string().nullish(),
      start_offset: z.int().optional(),
      end_offset: z.int().optional(),
    }),
  ),
  caught_up: z.boolean().nullish(),
});
export type SearchReply = z.infer<typeof replySchema>;

const EXCERPT_CHARACTERS = 220;
const LINE_CHARACTERS = 100;

/** Runs one search through the public API. */
export async function search(api: ApiClient, request: Readonly<Record<string, unknown>>): Promise<SearchReply> {
  return api.json(replySchema, { method: "POST", path: "/v1/search", json: request });
}

/** Prints a query with its hits: score and its parts, tier, source, an excerpt. */
export function printHits(query: string, reply: SearchReply, durationMs: number): void {
  console.log(`\n  ${style.bold(`“${query}”`)} ${style.dim(`${durationMs.toFixed(0)} ms`)}`);
  for (const [index, hit] of reply.results.entries()) {
    const parts = Object.entries(hit.score_parts ?? {}).flatMap(([name, value]) =>
      typeof value === "number" ? [`${name} ${value.toFixed(2)}`] : [],
    );
    console.log(
      `  ${index + 1}. ${style.green(hit.score.toFixed(3))}  ${style.cyan(hit.title ?? hit.document_id)}  ` +
        style.dim(
          `${hit.tier} · ${hit.source ?? "–"} · characters ${hit.start_offset ?? "?"}–${hit.end_offset ?? "?"}`,
        ),
    );
    if (parts.length > 0) console.log(`     ${style.dim(parts.join("  "))}`);
    for (const line of excerptLines(hit.text)) console.log(`     ${line}`);
  }
}

/** The beginning of a text in lines of readable length. Pure. */
export function excerptLines(text: string): readonly string[] {
  const flat = text.replace(/\s+/g, " ").trim();
  const excerpt =
    flat.length > EXCERPT_CHARACTERS ? `${flat.slice(0, EXCERPT_CHARACTERS).replace(/\s\S*$/, "")} …` : flat;
  const lines: string[] = [];
  let line = "";
  for (const word of excerpt.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > LINE_CHARACTERS) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  if (line !== "") lines.push(line);
  return lines;
}
