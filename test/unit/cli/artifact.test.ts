import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { trainDictionary } from "../../../src/lib/zstd/train-dictionary.ts";
import { conversation } from "../../support/pack-records.ts";
import { zstdModule } from "../../support/zstd-module.ts";
import { packOf } from "../artifact/records.ts";
import { runCli } from "./run-cli.ts";

const lineSchema = z.record(z.string(), z.unknown());
const folder = mkdtempSync(join(tmpdir(), "jeeves-artifact-"));
const path = (name: string): string => join(folder, name);
const linesOf = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split("\n")
    .map((line) => lineSchema.parse(JSON.parse(line)));

beforeAll(async () => {
  const vectors = { fingerprint: "model-a", dimensions: 6, kind: "f16" } as const;
  writeFileSync(path("a.mpz"), (await packOf(conversation(150, 6), { vectors })).bytes);
  const changed = conversation(151)
    .slice(1)
    .map((record, index) => (index === 4 ? { ...record, title: "new" } : record));
  writeFileSync(path("b.mpz"), (await packOf(changed)).bytes);
  writeFileSync(path("c.mpz"), (await packOf(conversation(150))).bytes);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Each run of the command line starts a Node of its own. */
const SLOW = { timeout: 120_000 };

describe("jeeves artifact, on files", SLOW, () => {
  it("prints every record as a JSON line, or the one that is asked for", async () => {
    const all = await runCli(["artifact", "cat", path("a.mpz")]);
    expect(linesOf(all.stdout).map(({ text }) => text)).toEqual(conversation(150).map(({ text }) => text));
    const [at] = linesOf((await runCli(["artifact", "cat", path("a.mpz"), "--at", "70", "--vectors"])).stdout);
    expect(at).toMatchObject({
      document_id: "talk-1/71",
      chunks: [{ vector: expect.arrayContaining([expect.any(Number)]) }],
    });
    const [named] = linesOf(
      (await runCli(["artifact", "cat", path("a.mpz"), "--id", "talk-1/9", "--user", "ada"])).stdout,
    );
    expect(named).toMatchObject({ text: conversation(9).at(-1)?.text });
    expect(await runCli(["artifact", "cat", path("a.mpz"), "--id", "talk-1/9"])).toMatchObject({
      exitCode: 1,
      stderr: "jeeves: the pack has no such record\n",
    });
  });

  it("reads standard input, and a dictionary beside the file or by its name", async () => {
    const input = await runCli(["artifact", "cat", "-"], { stdin: readFileSync(path("c.mpz")), cwd: folder });
    expect(linesOf(input.stdout)).toHaveLength(150);
    const samples = conversation(2_000).map(({ text }) => new TextEncoder().encode(text ?? ""));
    const trained = trainDictionary(zstdModule(), samples, { level: 19, bytesMax: 4_096 });
    if (!trained.ok) throw new Error(trained.error.code);
    writeFileSync(path("d.mpz"), (await packOf(conversation(20), { dictionary: trained.value })).bytes);
    const without = await runCli(["artifact", "cat", path("d.mpz")]);
    expect(without).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(`needs the dictionary ${trained.value.id}`),
    });
    writeFileSync(path("some.dictionary"), trained.value.bytes);
    const given = await runCli(["artifact", "cat", path("d.mpz"), "--dictionary", path("some.dictionary")]);
    expect(linesOf(given.stdout)).toHaveLength(20);
    writeFileSync(path(`${trained.value.id}.bin`), trained.value.bytes);
    expect(linesOf((await runCli(["artifact", "cat", path("d.mpz")])).stdout)).toHaveLength(20);
  });

  it("verifies, and names what is damaged", async () => {
    const bytes = readFileSync(path("a.mpz"));
    const damaged = Uint8Array.from(bytes);
    damaged[100] = (damaged[100] ?? 0) ^ 1;
    writeFileSync(path("damaged.mpz"), damaged);
    writeFileSync(path("short.mpz"), bytes.subarray(0, bytes.length - 9));
    const sound = await runCli(["artifact", "verify", path("a.mpz"), "--json"]);
    expect(sound.exitCode).toBe(0);
    expect(linesOf(sound.stdout)).toMatchObject([
      { isSound: true, recordCount: 150, chunkCount: 150, vectorCount: 150, blockCount: 3 },
    ]);
    const unsound = await runCli(["artifact", "verify", path("damaged.mpz"), path("short.mpz"), path("c.mpz")]);
    expect(unsound.exitCode).toBe(1);
    expect(unsound.stdout).toMatch(/damaged\.mpz: damaged in block 0, 86 records/);
    expect(unsound.stdout).toMatch(/short\.mpz: cut off/);
    expect(unsound.stdout).toMatch(/c\.mpz: sound, 150 records/);
  });

  it("says what differs", async () => {
    const same = await runCli(["artifact", "diff", path("c.mpz"), path("c.mpz")]);
    expect(same).toMatchObject({ exitCode: 0, stdout: "" });
    const differs = await runCli(["artifact", "diff", path("c.mpz"), path("b.mpz")]);
    expect(differs.exitCode).toBe(3);
    expect(differs.stdout.trim().split("\n")).toEqual([
      "~ event talk-1/6 (ada): title",
      "+ event talk-1/151 (ada)",
      "- event talk-1/1 (ada)",
    ]);
  });
});

describe("jeeves artifact, over the API", SLOW, () => {
  const requests: (string | undefined)[] = [];

  function serve(request: IncomingMessage, response: ServerResponse): void {
    const content = readFileSync(path("a.mpz"));
    const sha256 = createHash("sha256").update(content).digest("hex");
    const entry = {
      artifact_id: "pack-1",
      kind: "pack",
      size_bytes: content.length,
      sha256,
      content_url: "/v1/artifacts/pack-1/content",
      created_at: "2026-11-25T06:00:00Z",
    };
    if (request.url?.startsWith("/v1/artifacts?") === true) response.end(JSON.stringify({ artifacts: [entry] }));
    else if (request.url === "/v1/artifacts/pack-1") response.end(JSON.stringify(entry));
    else {
      requests.push(request.headers.range);
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
      response.writeHead(from > 0 ? 206 : 200).end(content.subarray(from));
    }
  }

  it("lists, downloads, and goes on with a download that was cut off", async () => {
    const server = createServer(serve).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const env = { JEEVES_URL: `http://127.0.0.1:${port}`, JEEVES_KEY: "jvk_test" };
    try {
      expect((await runCli(["artifact", "ls", "--kind", "pack"], { env })).stdout).toContain("pack-1  pack");
      writeFileSync(path("got.mpz.part"), readFileSync(path("a.mpz")).subarray(0, 1_000));
      const got = await runCli(["artifact", "get", "pack-1", "--out", path("got.mpz")], { env });
      expect(got).toMatchObject({ exitCode: 0 });
      expect(requests).toEqual(["bytes=1000-"]);
      expect(readFileSync(path("got.mpz")).equals(readFileSync(path("a.mpz")))).toBe(true);
      writeFileSync(path("bad.mpz.part"), "not what it was");
      expect(await runCli(["artifact", "get", "pack-1", "--out", path("bad.mpz")], { env })).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining("remove it and try again"),
      });
    } finally {
      server.close();
    }
  });
});
