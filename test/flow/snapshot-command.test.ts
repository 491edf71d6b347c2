import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { HOUR_MS } from "../../src/lib/base/durations.ts";
import { removeObjects } from "../../src/lib/flows/snapshots/remove-objects.ts";
import { expectOk } from "../support/database.ts";
import { runCli, type CliRun } from "../unit/cli/run-cli.ts";
import { openOperatorService } from "./support/operator-service.ts";
import { openSnapshots } from "./support/snapshots.ts";

const { world, bucket, contextOf, clear, keysUnder, put, tick, newest } = await openSnapshots();
const service = await openOperatorService(world);
const operator = await service.newKey(["operator"]);
const admin = await service.newKey(["ingest", "search", "admin"]);
const folder = await mkdtemp(join(tmpdir(), "snapshot-"));
beforeEach(clear);
afterAll(async () => {
  await service.close();
  await world.close();
  await rm(folder, { recursive: true, force: true });
});

function jeeves(...words: readonly string[]): Promise<CliRun> {
  return runCli(["snapshot", ...words], { env: { JEEVES_URL: service.url, JEEVES_KEY: operator } });
}

async function ask(path: string, headers: Readonly<Record<string, string>> = {}, init: RequestInit = {}) {
  const all = { authorization: `Bearer ${operator}`, ...headers };
  return fetch(`${service.url}/v1/admin/snapshots${path}`, { ...init, headers: all });
}

/** Two snapshots, an hour apart: one object came, one changed, one was removed and is held. */
async function twoSnapshots(): Promise<{ readonly before: string; readonly later: string }> {
  world.nowMs = Date.UTC(2026, 0, 5);
  for (const key of ["backups/20260104T020000000Z/manifest.json", "packs/a/1.mpz", "wal/a/1.mpz", "wal/a/2.mpz"])
    await put(key);
  await tick();
  const before = await newest();
  expectOk(await removeObjects(contextOf(), ["wal/a/1.mpz"], "packed"));
  await put("packs/a/1.mpz", "packed anew");
  await put("wal/a/3.mpz");
  world.nowMs += HOUR_MS;
  await tick();
  return { before, later: await newest() };
}

describe("jeeves snapshot", () => {
  it("lists and shows them, and compares two", async () => {
    const { before, later } = await twoSnapshots();
    const listed = await jeeves("ls");
    expect(listed.stdout.split("\n")[0]).toMatch(/^(hourly|weekly|daily)\/2026/);
    expect(listed.stdout).toContain(`hourly/${later}`);
    expect((await jeeves("show", "hourly")).stdout).toContain("wal/a/3.mpz  11 bytes");
    const diff = await jeeves("diff", `hourly/${before}`, "hourly");
    expect(diff.exitCode).toBe(3);
    expect(diff.stdout).toContain("- wal/a/1.mpz  11 bytes\n");
    expect(diff.stdout).toContain("+ wal/a/3.mpz  11 bytes\n");
    expect(diff.stdout).toContain("1 added, 1 removed, 1 changed");
    const lines = (await jeeves("diff", `hourly/${before}`, "hourly", "--json")).stdout.trim().split("\n");
    expect(lines.map((line): unknown => JSON.parse(line))).toContainEqual({
      change: "changed",
      key: "packs/a/1.mpz",
      before_bytes: 13,
      later_bytes: 11,
    });
    expect((await jeeves("diff", "hourly", "hourly")).exitCode).toBe(0);
  });

  it("verifies one, brings back what is held, and says how the database follows", async () => {
    const { before } = await twoSnapshots();
    const name = `hourly/${before}`;
    const verified = await jeeves("verify", name);
    expect(verified).toMatchObject({ exitCode: 0 });
    expect(verified.stdout).toContain("changed  packs/a/1.mpz");
    expect(verified.stdout).toContain("1 were removed and are held");
    expect((await jeeves("restore", name, "--dry-run")).stdout).toContain("1 would come back");
    expect(await keysUnder("removals/")).toHaveLength(1);
    const restored = await jeeves("restore", name);
    expect(restored.stdout).toContain("1 came back");
    expect(restored.stdout).toMatch(/the database follows, into an empty one: jeeves restore --at \d{4}-\d{2}-\d{2}T/);
    expect(await keysUnder("removals/")).toEqual([]);
    await bucket.delete("wal/a/2.mpz");
    const missing = await jeeves("verify", name);
    expect(missing).toMatchObject({ exitCode: 3 });
    expect(missing.stdout).toContain("missing  wal/a/2.mpz");
  });

  it("mounts one as read-only files, goes on with what is not there yet, and names what is not as it was", async () => {
    const { before, later } = await twoSnapshots();
    const target = join(folder, "mounted");
    const part = await jeeves("mount", `hourly/${later}`, target, "--only", "wal/");
    expect(part.stdout).toContain("2 downloaded, 0 were there, 0 are not");
    const path = join(target, "wal/a/3.mpz");
    expect(await readFile(path, "utf8")).toBe("wal/a/3.mpz");
    expect((await stat(path)).mode & 0o222).toBe(0);
    const whole = await jeeves("mount", `hourly/${later}`, target);
    expect(whole.stdout).toMatch(/3 downloaded, 2 were there, 0 are not/);
    expect(await readFile(join(target, "snapshot.json"), "utf8")).toContain(later);
    const changed = await jeeves("mount", `hourly/${before}`, join(folder, "before"), "--only", "packs/");
    expect(changed).toMatchObject({ exitCode: 3 });
    expect(changed.stdout).toContain("changed  packs/a/1.mpz");
  });

  it("refuses names that are none, and says where there is no snapshot", async () => {
    expect((await jeeves("show", "yearly")).exitCode).toBe(2);
    expect((await jeeves("show", "hourly/../x")).exitCode).toBe(2);
    expect((await jeeves("show", "hourly")).stderr).toContain("there is no hourly snapshot yet");
    expect((await jeeves("diff", "hourly")).exitCode).toBe(2);
  });
});

describe("the routes of snapshots", () => {
  it("give a range of an object that the snapshot names, and nothing else", async () => {
    const { later } = await twoSnapshots();
    const at = `/hourly/${later}`;
    const content = (key: string): string => `${at}/content?key=${encodeURIComponent(key)}`;
    const range = await ask(content("wal/a/3.mpz"), { range: "bytes=4-" });
    expect([range.status, await range.text()]).toEqual([206, "a/3.mpz"]);
    const etag = range.headers.get("etag") ?? "";
    expect((await ask(content("wal/a/3.mpz"), { "if-none-match": etag })).status).toBe(304);
    expect((await ask(content("wal/a/3.mpz"), { range: "bytes=100-" })).status).toBe(416);
    expect((await ask(content("wal/a/1.mpz"))).status).toBe(404);
    await put("secrets.txt");
    expect((await ask(content("secrets.txt"))).status).toBe(404);
    await put("wal/a/3.mpz", "other bytes");
    expect((await ask(content("wal/a/3.mpz"))).status).toBe(409);
    expect((await ask(`${at}/objects?part=7`)).status).toBe(404);
    expect((await ask("/hourly/..%2f..%2fwal")).status).toBe(404);
  });

  it("ask for the scope operator, all of them", async () => {
    const { later } = await twoSnapshots();
    const reads = ["", "/objects", "/content?key=wal/a/3.mpz", "/verify", `/diff?kind=hourly&id=${later}`];
    const paths = ["", ...reads.map((part) => `/hourly/${later}${part}`)];
    for (const path of paths) {
      expect([path, (await ask(path)).status]).toEqual([path, 200]);
      expect([path, (await ask(path, { authorization: `Bearer ${admin}` })).status]).toEqual([path, 403]);
    }
    const headers = { authorization: `Bearer ${admin}`, "content-type": "application/json" };
    expect((await ask(`/hourly/${later}/restore`, headers, { method: "POST", body: "{}" })).status).toBe(403);
  });
});
