import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { documentedCommands } from "./support/shell-blocks.ts";
import { startSystem, type System } from "./support/system.ts";

const PROJECT_FOLDER = fileURLToPath(new URL("../..", import.meta.url));
const COMMAND_MS_MAX = 60_000;

/** What a command printed so far in its document, for the placeholders of the next ones. */
type Printed = readonly string[];
type Replacement = readonly [placeholder: string, value: (printed: Printed) => string];
type Shell = (command: string) => Promise<string>;

interface Walk {
  readonly path: string;
  /** Commands that another test runs, or that nothing here can. */
  readonly leftOut?: readonly (readonly [command: RegExp, why: string])[];
  readonly replacements?: readonly Replacement[];
  /** What is there already where the document begins. */
  readonly before?: string;
}

const lastOf =
  (pattern: RegExp) =>
  (printed: Printed): string => {
    const found = printed.toReversed().flatMap((each) => pattern.exec(each)?.[1] ?? []);
    if (found[0] === undefined) throw new Error(`nothing printed ${String(pattern)}`);
    return found[0];
  };
const token = lastOf(/"token":"(\w+)"/);
const curl = (method: string, path: string, body: string): string =>
  `curl -s -X ${method} "$JEEVES_URL${path}" -H "authorization: Bearer $KEY" -H 'content-type: application/json' -d '${body}'`;
const TALK = `printf '%s\\n' 'Ann has a boat.' 'It lies in Bodø harbour.' | jeeves session send trip --user ann`;
const NICKNAME = curl("PUT", "/v1/profiles/ann", `{"facts": [{"key": "nickname", "value": "Annie"}]}`);
const LETTER = `printf 'From: ben@example.org\\nSubject: The boat\\n\\nDear Ann, please call +44 20 7946 0958.\\n' >letter.eml`;
const NOTE = curl(
  "POST",
  "/v1/documents",
  `{"documents": [{"id": "keeper", "text": "The lighthouse keeper wrote down every ship."}]}`,
);
const OPENING = [
  `${curl("POST", "/v1/sessions", `{"session_id": "chat-1", "user_id": "ann"}`)} >opened.json`,
  `sed -n 's/.*"write_token":"\\([^"]*\\)".*/export TOKEN=\\1/p' opened.json >environment`,
].join(" && ");

const WALKS: readonly Walk[] = [
  {
    path: "README.md",
    leftOut: [
      [/^make (demo|test|up)/, "this suite and the bench of the demo run them"],
      [/^export KEY/, "the key is here"],
      [/^make (curate|ingest|report)/, "CI runs them on their sample"],
    ],
    replacements: [
      ["01M8…-0", (printed) => `${token(printed)}-0`],
      ["01M8…", token],
    ],
  },
  {
    path: "docs/audit.md",
    replacements: [["2026-11-25", lastOf(/^\{?(\d{4}-\d\d-\d\d)/m)]],
    before: "jeeves job run audit",
  },
  {
    path: "docs/cron.md",
    leftOut: [[/keys create/, "the suite of the database makes keys"]],
    replacements: [["sweep-2026-11-25T03:00:00.000Z", lastOf(/(sweep-[\w:.-]+)/)]],
    before: "jeeves job run sweep",
  },
  { path: "docs/orphans.md", replacements: [["orphan_check-…", lastOf(/(orphan_check-\w+)/)]] },
  {
    path: "docs/pii.md",
    leftOut: [
      [/^node bench/, "a bench on data of one's own"],
      [/^wrangler/, "Cloudflare"],
      [/pii reveal/, "test/unit/cli reveals"],
    ],
    before: LETTER,
  },
  { path: "docs/profiles.md", before: NICKNAME },
  { path: "docs/retention.md", before: TALK },
  {
    path: "docs/sessions.md",
    leftOut: [[/^TOKEN=/, "it comes from the opening"]],
    replacements: [["01KB…", token]],
    before: OPENING,
  },
  { path: "docs/metrics.md", replacements: [["https://…", () => "$JEEVES_URL"]] },
  {
    path: "docs/operations.md",
    leftOut: [
      [/^export/, "both are set"],
      [/wrangler tail/, "Cloudflare"],
    ],
    replacements: [["01M8…", token]],
    before: NOTE,
  },
];

/** Documents whose commands need what is not here, and where the same is tested. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "docs/artifacts.md": "test/unit/cli/artifact*.test.ts, test/unit/reader",
  "docs/backup.md": "test/flow/restore.test.ts, test/flow/pgdump.test.ts",
  "docs/bridge.md": "test/bridge with a real Redis",
  "docs/deploy.md": "Cloudflare and Neon; test/unit/docs/deploy.test.ts holds it against wrangler.toml",
  "docs/sync.md": "test/flow/sync.test.ts",
};

/** Words that an example prints whatever ids, scores and times are in it; what follows an ellipsis is left to the reader. */
function wordsOf(example: string): readonly string[] {
  const [shown = ""] = example.split("…");
  return shown.match(/\p{L}{3,}/gu) ?? [];
}

let system: System;
let folder: string;

beforeAll(async () => {
  [system, folder] = await Promise.all([startSystem(), mkdtemp(join(tmpdir(), "jeeves-documents-"))]);
  const jeeves = `#!/bin/sh\nexec "${process.execPath}" "${PROJECT_FOLDER}/src/cli/main.ts" "$@"\n`;
  await writeFile(join(folder, "jeeves"), jeeves, { mode: 0o755 });
  // `npm run jeeves -- …` of the documents, from a folder that is not the project's.
  const npm = `#!/bin/sh\nwhile [ "$1" != "--" ]; do shift; done; shift\nexec "${folder}/jeeves" "$@"\n`;
  await writeFile(join(folder, "npm"), npm, { mode: 0o755 });
  await symlink(process.execPath, join(folder, "node"));
});
afterAll(async () => {
  await system?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a command as a reader would, in bash. */
async function inShell(cwd: string, key: string, command: string): Promise<{ code: number | null; output: string }> {
  const child = spawn("bash", ["-c", `[ ! -f environment ] || . ./environment\n${command}`], {
    cwd,
    env: {
      PATH: `${folder}:${process.env["PATH"]}`,
      KEY: key,
      METRICS_TOKEN: key,
      JEEVES_URL: system.url,
      JEEVES_KEY: key,
      JEEVES_HOME: join(cwd, "home"),
    },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: COMMAND_MS_MAX,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const [code]: unknown[] = await once(child, "close");
  return { code: typeof code === "number" ? code : null, output };
}

function filledIn(command: string, replacements: readonly Replacement[], printed: Printed): string {
  let text = command.replaceAll("localhost:8787", system.url);
  for (const [placeholder, value] of replacements)
    if (text.includes(placeholder)) text = text.replaceAll(placeholder, value(printed));
  return text;
}

/** Runs a document from its first command to its last; each has to end well and to print what the document shows. Gives their number. */
async function walk({ path, leftOut = [], replacements = [], before }: Walk): Promise<number> {
  const cwd = await mkdtemp(join(folder, "walk-"));
  const tenant = basename(path, ".md").toLowerCase();
  const key = await system.newKey(`doc-${tenant}`, { scopes: ["ingest", "search", "admin", "operator"] });
  const printed: string[] = [];
  const shell: Shell = async (command) => {
    const { code, output } = await inShell(cwd, key, command);
    expect(code, `${path}: ${command}\n${output}`).toBe(0);
    expect(output, `${path}: ${command}`).not.toMatch(/"status":(4|5)\d\d/);
    printed.push(output);
    return output;
  };
  if (before !== undefined) await shell(before);
  const commands = documentedCommands(await readFile(join(PROJECT_FOLDER, path), "utf8"));
  const run = commands.filter(({ command }) => !leftOut.some(([pattern]) => pattern.test(command)));
  for (const { command, prints } of run) {
    const output = await shell(filledIn(command, replacements, printed));
    for (const word of prints.flatMap(wordsOf)) expect(output, `${path}: ${command}`).toContain(word);
  }
  return run.length;
}

describe("the commands of the documents", () => {
  it.each(WALKS)("hold as they stand: $path", async (each) => {
    expect(await walk(each)).toBeGreaterThan(0);
  });

  it("are either run here or said to be tested elsewhere", async () => {
    const known = new Set([...WALKS.map(({ path }) => path), ...Object.keys(ELSEWHERE)]);
    const unknown: string[] = [];
    for (const path of globSync(["README.md", "docs/*.md"], { cwd: PROJECT_FOLDER })) {
      const commands = documentedCommands(await readFile(join(PROJECT_FOLDER, path), "utf8"));
      if (commands.length > 0 && !known.has(path)) unknown.push(path);
    }
    expect(unknown).toEqual([]);
  });
});
