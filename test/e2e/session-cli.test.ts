import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { searchReplySchema } from "../../src/lib/contract/search.ts";
import { sessionReplySchema } from "../../src/lib/contract/session.ts";
import { eraseSessionReplySchema } from "../../src/lib/contract/session-erasure.ts";
import { type CliRun, runCli } from "../unit/cli/run-cli.ts";
import { startSystem, type System } from "./support/system.ts";

let system: System;
let folder: string;
let key: string;

beforeAll(async () => {
  [system, folder] = await Promise.all([startSystem(), mkdtemp(join(tmpdir(), "jeeves-session-"))]);
  key = await system.newKey("talk");
});
afterAll(async () => {
  await system?.close();
  await rm(folder, { recursive: true, force: true });
});

function cli(words: readonly string[], stdin = ""): Promise<CliRun> {
  const env = { JEEVES_URL: system.url, JEEVES_KEY: key, JEEVES_HOME: join(folder, "home") };
  return runCli(words, { cwd: folder, stdin, env });
}

const OWN = ["--user", "ann", "--json"];

async function hitsOf(user: string): Promise<string[]> {
  const found = await cli(["search", "where does the sister of Ann live", "--user", user, "--tier", "event", "--json"]);
  expect(found.exitCode, found.stderr).toBe(0);
  return searchReplySchema.parse(JSON.parse(found.stdout)).hits.map((hit) => hit.text);
}

describe("jeeves session, by a stranger", () => {
  it("makes lines searchable, for their user only, goes on over a restart, and takes all of it back", async () => {
    const sent = await cli(
      ["session", "send", "chat-1", "--speaker", "Ann", ...OWN],
      "My sister Ada lives in Graz and grows tomatoes on her balcony.\nShe moved there from Vienna nine years ago.\n",
    );
    expect(sent.exitCode, sent.stderr).toBe(0);
    const watched = await cli(["session", "status", "chat-1", "--watch", ...OWN]);
    expect(watched.exitCode, watched.stderr).toBe(0);
    const last = sessionReplySchema.parse(JSON.parse(watched.stdout.trim().split("\n").at(-1) ?? ""));
    expect(last).toMatchObject({ state: "open", seqs: { durable: 2, embedded: 2 } });
    expect((await hitsOf("ann")).join("\n")).toContain("Graz");
    expect(await hitsOf("bob")).toEqual([]);

    await system.restartWorker();
    const more = await cli(
      ["session", "send", "chat-1", "--live", ...OWN],
      "Graz has a clock tower that shows the hours with the long hand.",
    );
    expect(more.exitCode, more.stderr).toBe(0);
    expect(JSON.parse(more.stdout.trim().split("\n").at(-1) ?? "")).toMatchObject({ ack: 3, appended: 1 });

    const erased = await cli(["session", "erase", "chat-1", ...OWN]);
    expect(eraseSessionReplySchema.parse(JSON.parse(erased.stdout))).toMatchObject({ done: true, event_count: 3 });
    expect(await hitsOf("ann")).toEqual([]);
    const gone = await cli(["session", "status", "chat-1", ...OWN]);
    expect([gone.exitCode, gone.stderr]).toEqual([1, expect.stringContaining("session_unknown")]);
  });
});
