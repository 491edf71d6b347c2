import { dirname, basename, extname } from "node:path";
import type { Tier } from "../../lib/contract/scope.ts";
import type { CurateInput } from "../../lib/curate/curate-batch.ts";
import type { ReadDocument } from "./read-item.ts";

/** What the command line says where a record is silent. */
export interface InputDefaults {
  readonly source: string | undefined;
  readonly tier: Tier | undefined;
  readonly userId: string | undefined;
}

/** A read document as the pipeline takes it. */
export function curateInput(document: ReadDocument, path: string, defaults: InputDefaults): CurateInput {
  const speaker = document.metadata["speaker"];
  return {
    id: document.id,
    text: document.text,
    tier: document.tier ?? defaults.tier ?? "doc",
    source: document.source ?? defaults.source ?? sourceOf(path),
    userId: document.userId ?? defaults.userId ?? "",
    occurredAtMs: document.occurredAt === undefined ? null : Date.parse(document.occurredAt),
    title: document.title ?? "",
    ...(typeof speaker === "string" ? { speaker } : {}),
  };
}

/** The folder that a file lies in, else the file's own name: what a person would call where it came from. */
export function sourceOf(path: string): string {
  const folder = basename(dirname(path));
  return folder === "" || folder === "." ? basename(path, extname(path)) : folder;
}
