/** What the embedding server's own source says of itself, for comparing manifests with it. */
import { execFileSync } from "node:child_process";
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

/** Its configuration is asked in a process of its own: a package of its own, with types of its own. */
const ASK_CONFIG = `
  import { readConfig } from "./gpu-embedder/src/config.ts";
  const config = readConfig(process.env);
  process.stdout.write(config.ok ? "" : config.error.detail);
`;

/** What the server would say against an environment; empty where it takes it. */
export function configFault(environment: Readonly<Record<string, string>>): string {
  return execFileSync(process.execPath, ["--input-type=module", "--eval", ASK_CONFIG], {
    env: { ...environment },
    encoding: "utf8",
  });
}
