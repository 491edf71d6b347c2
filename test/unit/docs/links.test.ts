import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { HELP_TOPICS } from "../../../src/stack/help-topic.ts";

const PROJECT = fileURLToPath(new URL("../../../", import.meta.url));
const DOCUMENTS = globSync(["*.md", "docs/**/*.md", "ops/**/*.md", "bench/*.md", "gpu-embedder/*.md"], {
  cwd: PROJECT,
});
const packageSchema = z.object({ scripts: z.record(z.string(), z.string()) });
const MAKE_TARGETS = new Set([...read("Makefile").matchAll(/^([a-z][a-z-]*):/gm)].map(([, target = ""]) => target));

function read(path: string): string {
  return readFileSync(join(PROJECT, path), "utf8");
}

/** Anchors of a document's headings, as the usual hosts of repositories make them. */
function anchorsOf(document: string): ReadonlySet<string> {
  const headings = [...withoutCode(document).matchAll(/^#{1,6} (.+)$/gm)];
  return new Set(
    headings.map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .trim()
        .replaceAll(" ", "-"),
    ),
  );
}

function withoutCode(document: string): string {
  return document.replace(/^```[\s\S]*?^```/gm, "");
}

interface Link {
  readonly from: string;
  readonly target: string;
}

function linksOf(path: string): readonly Link[] {
  return [...withoutCode(read(path)).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => ({ from: path, target }))
    .filter(({ target }) => !/^(https?:|mailto:)/.test(target));
}

/** What is wrong with a link, or undefined. */
function faultOf({ from, target }: Link): string | undefined {
  const [file = "", anchor] = target.split("#", 2);
  const path = file === "" ? from : relative(PROJECT, join(PROJECT, dirname(from), file));
  if (!existsSync(join(PROJECT, path))) return `${from}: ${target} is not there`;
  if (anchor === undefined || !path.endsWith(".md")) return undefined;
  return anchorsOf(read(path)).has(anchor) ? undefined : `${from}: ${target} has no such heading`;
}

describe("the documents", () => {
  it("lead to files and headings that are there", () => {
    const links = DOCUMENTS.flatMap(linksOf);
    expect(links.length).toBeGreaterThan(50);
    expect(links.flatMap((link) => faultOf(link) ?? [])).toEqual([]);
  });

  it("would notice a file and a heading that are not there", () => {
    expect(faultOf({ from: "README.md", target: "docs/nowhere.md" })).toMatch(/is not there/);
    expect(faultOf({ from: "README.md", target: "docs/cron.md#nowhere" })).toMatch(/no such heading/);
    expect(faultOf({ from: "docs/cron.md", target: "scale.md#several-databases" })).toBeUndefined();
  });

  it("name make targets, npm scripts and commands of jeeves that exist", () => {
    const { scripts } = packageSchema.parse(JSON.parse(read("package.json")));
    const declared = globSync("src/cli/declarations/*.ts", { cwd: PROJECT }).flatMap((path) => [
      ...read(path).matchAll(/name: "([a-z-]+)"/g),
    ]);
    const commands = new Set(["help", ...declared.map(([, name = ""]) => name)]);
    const unknown = DOCUMENTS.flatMap((path) => {
      const text = read(path);
      const targets = [...text.matchAll(/(?<=[`(\n] ?)make ([a-z][a-z-]+)/g)];
      const runs = [...text.matchAll(/npm run (?:--silent )?([a-z][a-z0-9:-]+)/g)];
      const called = [...text.matchAll(/(?:^|[`|] ?)jeeves ([a-z][a-z-]+)/gm)];
      return [
        ...targets.filter(([, target = ""]) => !MAKE_TARGETS.has(target)),
        ...runs.filter(([, script = ""]) => !(script in scripts)),
        ...called.filter(([, command = ""]) => !commands.has(command)),
      ].map(([found]) => `${path}: ${found.trim()}`);
    });
    expect(unknown.filter((each) => !each.startsWith("gpu-embedder/"))).toEqual([]);
  });

  it("have an entry for each error of a command that leads to one", () => {
    const anchors = anchorsOf(read("docs/troubleshooting.md"));
    expect(HELP_TOPICS.filter((topic) => !anchors.has(topic))).toEqual([]);
  });
});
