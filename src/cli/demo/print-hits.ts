import { searchReplySchema, type SearchHit, type SearchReply } from "../../lib/contract/search.ts";
import type { ApiClient } from "../api-client.ts";
import { style } from "../terminal/style.ts";

const EXCERPT_CHARACTERS = 220;
const LINE_CHARACTERS = 100;

/** Runs one search through the public API. */
export async function search(api: ApiClient, request: Readonly<Record<string, unknown>>): Promise<SearchReply> {
  return api.json(searchReplySchema, { method: "POST", path: "/v1/search", json: request });
}

/** Prints a query with its hits: score and its parts, tier, source, an excerpt. */
export function printHits(query: string, reply: SearchReply, durationMs: number): void {
  console.log(`\n  ${style.bold(query)}  ${style.dim(`${durationMs.toFixed(0)} ms`)}`);
  for (const [index, hit] of reply.hits.entries()) {
    console.log(
      `  ${index + 1}. ${style.green(hit.score.toFixed(3))}  ${style.cyan(hit.title ?? hit.document_id)}  ` +
        style.dim(`${hit.tier} · ${hit.source ?? "no source"} · characters ${hit.start_offset}–${hit.end_offset}`),
    );
    console.log(`     ${style.dim(scoreParts(hit))}`);
    for (const line of excerptLines(hit.text)) console.log(`     ${line}`);
  }
}

function scoreParts({ score_parts: parts }: SearchHit): string {
  if (parts === undefined) return "";
  const shown = [
    `cosine ${parts.vector?.toFixed(2) ?? "–"} (rank ${parts.vector_rank ?? "–"})`,
    `BM25 ${parts.lexical?.toFixed(1) ?? "–"} (rank ${parts.lexical_rank ?? "–"})`,
  ];
  return shown.join("   ");
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
