import { readFileSync } from "node:fs";
import { globSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { parseSync } from "oxc-parser";
import { describe, expect, it } from "vitest";

// The table of docs/ARCHITECTURE.md: a file imports from its own room and from lower tiers only.
const TIER_OF_ROOM: Readonly<Record<string, number>> = {
  "src/cli": 6,
  "src/dashboard": 6,
  "src/bridge": 5,
  "src/stack": 5,
  "src/workers": 5,
  "src/queues": 4,
  "src/lib/flows": 3,
  "src/lib/db": 2,
  "src/lib/embed": 2,
  "src/lib/wal": 2,
  "src/lib/artifact": 2,
  "src/lib/auth": 2,
  "src/lib/s3": 2,
  "src/lib/curate": 2,
  "src/lib/session": 2,
  "src/lib/summarise": 2,
  "src/lib/zstd": 1,
  "src/lib/body": 1,
  "src/lib/bucket": 1,
  "src/lib/gate": 1,
  "src/lib/chunk": 1,
  "src/lib/duplicates": 1,
  "src/lib/pii": 1,
  "src/lib/drift": 1,
  "src/lib/lexical": 1,
  "src/lib/retrieve": 1,
  "src/lib/model": 1,
  "src/lib/metrics": 1,
  "src/lib/contract": 0.5,
  "src/lib/base": 0,
  "src/reader": 0,
};

// Each outside package has one door: the room or file that may import it.
const DOORS: Readonly<Record<string, readonly string[]>> = {
  "@neondatabase/serverless": ["src/lib/db/"],
  "@msgpack/msgpack": ["src/lib/wal/", "src/lib/artifact/", "src/lib/body/", "src/lib/session/", "src/reader/"],
  fzstd: ["src/reader/"],
  "@huggingface/tokenizers": ["src/lib/model/"],
  hono: ["src/workers/"],
  ulid: ["src/lib/base/ids.ts"],
  eld: ["src/lib/gate/"],
  preact: ["src/dashboard/"],
  uplot: ["src/dashboard/"],
  miniflare: ["src/stack/"],
  wrangler: ["src/stack/"],
  "@electric-sql/pglite": ["src/stack/"],
  pg: ["src/stack/"],
  aws4fetch: ["src/lib/s3/"],
  "@redis/client": ["src/bridge/redis-connection.ts", "src/bridge/stream-group.ts"],
};

/** Rooms that run in Node alone. */
const NODE_ROOMS = new Set(["src/cli", "src/stack", "src/bridge"]);
const NODE_IN_BOTH_RUNTIMES = new Set(["node:crypto", "node:zlib", "node:buffer"]);
/** What else the Workers may use of Node: workerd has it, the libraries of both runtimes do without. */
const NODE_IN_WORKERS = new Set(["node:async_hooks"]);

function roomOf(path: string): string {
  const room = Object.keys(TIER_OF_ROOM)
    .filter((candidate) => path.startsWith(`${candidate}/`))
    .sort((a, b) => b.length - a.length)[0];
  if (room === undefined) throw new Error(`${path} lies in no room of the table`);
  return room;
}

function importsOf(path: string): readonly string[] {
  const { module } = parseSync(path, readFileSync(path, "utf8"));
  const exported = module.staticExports.flatMap((entry) =>
    entry.entries.flatMap((item) => (item.moduleRequest ? [item.moduleRequest.value] : [])),
  );
  return [...module.staticImports.map((entry) => entry.moduleRequest.value), ...exported];
}

function violationsOf(path: string, specifier: string): readonly string[] {
  const room = roomOf(path);
  if (specifier.startsWith(".")) {
    const target = normalize(join(dirname(path), specifier));
    if (!target.startsWith("src/"))
      return target.startsWith("migrations/") ? [] : [`${path} imports ${target} outside src`];
    const targetRoom = roomOf(target);
    const upward = targetRoom !== room && (TIER_OF_ROOM[targetRoom] ?? 99) >= (TIER_OF_ROOM[room] ?? -1);
    return upward ? [`${path} imports upwards or sideways: ${target}`] : [];
  }
  if (specifier.startsWith("node:") && !NODE_IN_BOTH_RUNTIMES.has(specifier)) {
    if (room === "src/workers" && NODE_IN_WORKERS.has(specifier)) return [];
    return NODE_ROOMS.has(room) ? [] : [`${path} imports ${specifier}`];
  }
  const packageName = specifier.startsWith("@")
    ? specifier.split("/").slice(0, 2).join("/")
    : (specifier.split("/")[0] ?? "");
  const doors = DOORS[packageName];
  if (doors === undefined || doors.some((door) => path.startsWith(door))) return [];
  return [`${path} imports ${packageName}, whose door is ${doors.join(", ")}`];
}

function localImportsOf(path: string): readonly string[] {
  return importsOf(path)
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => normalize(join(dirname(path), specifier)));
}

/** Files of the first circle found, its first file again at the end; empty where there is none. */
function circleIn(targets: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const done = new Set<string>();
  const walk = (path: string, way: readonly string[]): readonly string[] => {
    const at = way.indexOf(path);
    if (at >= 0) return [...way.slice(at), path];
    if (done.has(path)) return [];
    for (const target of targets.get(path) ?? []) {
      const circle = walk(target, [...way, path]);
      if (circle.length > 0) return circle;
    }
    done.add(path);
    return [];
  };
  for (const path of targets.keys()) {
    const circle = walk(path, []);
    if (circle.length > 0) return circle;
  }
  return [];
}

describe("architecture", () => {
  const files = globSync("src/**/*.{ts,tsx}").map((path) => normalize(path));

  it("keeps every import inside its room or pointing at a lower tier", () => {
    expect(files.length).toBeGreaterThan(20);
    const violations = files.flatMap((path) => importsOf(path).flatMap((specifier) => violationsOf(path, specifier)));
    expect(violations).toEqual([]);
  });

  it("has no files that import each other, by whatever way round", () => {
    const targets = new Map(files.map((path) => [path, localImportsOf(path)]));
    expect(circleIn(targets)).toEqual([]);
    expect(
      circleIn(
        new Map([
          ["a", ["b"]],
          ["b", ["c"]],
          ["c", ["b"]],
        ]),
      ),
    ).toEqual(["b", "c", "b"]);
  });

  it("would notice an upward import, a sideways import, Node in a library room and a package through the wrong door", () => {
    expect(violationsOf("src/lib/chunk/a.ts", "../flows/b.ts")).toHaveLength(1);
    expect(violationsOf("src/lib/chunk/a.ts", "../lexical/b.ts")).toHaveLength(1);
    expect(violationsOf("src/lib/chunk/a.ts", "node:fs")).toHaveLength(1);
    expect(violationsOf("src/lib/flows/a.ts", "@neondatabase/serverless")).toHaveLength(1);
    expect(violationsOf("src/lib/flows/a.ts", "../chunk/b.ts")).toHaveLength(0);
  });

  it("has no barrels and no drawers without a noun", () => {
    const barrels = files.filter(
      (path) => /(^|\/)(index|utils?|helpers?|common|misc)\.ts$/.test(path) && path !== "src/workers/index.ts",
    );
    expect(barrels).toEqual([]);
  });
});
