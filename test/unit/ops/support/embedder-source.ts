/** What the embedding server's own source says of itself, for comparing manifests with it. */
import { globSync, readFileSync } from "node:fs";

const SOURCES = globSync("gpu-embedder/src/**/*.ts").map((path) => readFileSync(path, "utf8"));

/** Variables that any of its files reads. */
export const EMBEDDER_VARIABLES: ReadonlySet<string> = new Set(
  SOURCES.flatMap((text) => [
    ...[...text.matchAll(/environment\["([A-Z][A-Z0-9_]+)"\]/g)].map(([, name = ""]) => name),
    ...[...text.matchAll(/^ {2}([A-Z][A-Z0-9_]+): /gm)].map(([, name = ""]) => name),
  ]),
);

/** Paths that it answers to with GET. */
export const EMBEDDER_ROUTES: ReadonlySet<string> = new Set(
  SOURCES.flatMap((text) => [...text.matchAll(/\.get\("(\/[^"]*)"/g)].map(([, path = ""]) => path)),
);
