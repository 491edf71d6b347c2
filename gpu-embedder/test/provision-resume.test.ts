import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { hubSource } from "../src/model/hub-source.ts";
import type { ModelManifest } from "../src/model/manifest.ts";
import { describeProvisionError, provisionModel } from "../src/model/provision.ts";

const BYTES = Buffer.from(Array.from({ length: 400_000 }, (_, index) => (index * 31 + (index >> 8)) % 251));
const MANIFEST: ModelManifest = {
  modelId: "someone/tiny",
  revision: "r1",
  wheel: undefined,
  files: [
    {
      path: "model.safetensors",
      sizeBytes: BYTES.length,
      sha256: createHash("sha256").update(BYTES).digest("hex"),
    },
  ],
};
const LIMITS = { answerTimeoutMs: 300, stallTimeoutMs: 300, connectionsMax: 4 };

const folders: string[] = [];
const servers: Server[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "resume-"));
  folders.push(folder);
  return folder;
}

type Answer = (request: IncomingMessage, response: ServerResponse, startBytes: number) => void;
type Hub = { readonly environment: NodeJS.ProcessEnv; readonly ranges: (string | undefined)[] };

/** A hub on this machine that gives one answer after another, the last one for ever, and notes the ranges it was asked for. */
async function hub(...answers: readonly Answer[]): Promise<Hub> {
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const { range } = request.headers;
    const answer = answers[Math.min(ranges.length, answers.length - 1)];
    ranges.push(range);
    answer?.(request, response, Number(/^bytes=(\d+)-$/u.exec(range ?? "")?.[1] ?? 0));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return { environment: { HF_ENDPOINT: `http://127.0.0.1:${port}` }, ranges };
}

function head(response: ServerResponse, startBytes: number, bytes: Buffer): void {
  const length = bytes.length - startBytes;
  if (startBytes === 0) response.writeHead(200, { "content-length": length, etag: '"v1"' });
  else {
    const range = `bytes ${startBytes}-${bytes.length - 1}/${bytes.length}`;
    response.writeHead(206, { "content-length": length, "content-range": range, etag: '"v1"' });
  }
}

const whole: Answer = (_request, response, startBytes) => {
  head(response, startBytes, BYTES);
  response.end(BYTES.subarray(startBytes));
};

function partSizeBytes(folder: string): number {
  const partial = join(folder, ".partial");
  const name = existsSync(partial) ? readdirSync(partial).find((entry) => entry.endsWith(".part")) : undefined;
  return name === undefined ? 0 : statSync(join(partial, name)).size;
}

/** Cuts the connection once so many more bytes are on the reader's disk: what waits in its memory is lost with the connection. */
function cutAfter(sizeBytes: number, folder: string): Answer {
  return (_request, response, startBytes) => {
    head(response, startBytes, BYTES);
    response.write(BYTES.subarray(startBytes, startBytes + sizeBytes));
    const cut = (): void => {
      if (partSizeBytes(folder) < startBytes + sizeBytes) setImmediate(cut);
      else response.destroy();
    };
    cut();
  };
}

function provision(folder: string, { environment }: Hub): ReturnType<typeof provisionModel> {
  return provisionModel(folder, MANIFEST, [hubSource(environment, LIMITS)]);
}

function expectComplete(folder: string): void {
  expect(readdirSync(folder)).toEqual(["model.safetensors"]);
  expect(readFileSync(join(folder, "model.safetensors")).equals(BYTES)).toBe(true);
}

test.each([1, 65_536, 399_999])(
  "a connection cut after %d bytes goes on from there in the same run",
  async (cutBytes) => {
    const folder = newFolder();
    const server = await hub(cutAfter(cutBytes, folder), whole);
    expect(await provision(folder, server)).toMatchObject({ ok: true });
    expectComplete(folder);
    expect(server.ranges).toEqual([undefined, `bytes=${cutBytes}-`]);
  },
);

test("a download that was cut for good appears nowhere, and the next run goes on where it ended", async () => {
  const folder = newFolder();
  const first = await hub(cutAfter(100_000, folder), (_request, response) => response.destroy());
  const outcome = await provision(folder, first);
  expect(outcome.ok).toBe(false);
  expect(readdirSync(folder)).toEqual([".partial"]);
  const second = await hub(whole);
  expect(await provision(folder, second)).toMatchObject({ ok: true });
  expect(second.ranges).toEqual(["bytes=100000-"]);
  expectComplete(folder);
});

test("what a killed process left is taken over; what a living one is writing is left alone", async () => {
  const folder = newFolder();
  const partial = join(folder, ".partial");
  mkdirSync(partial);
  const sha256 = MANIFEST.files[0]?.sha256 ?? "";
  // process 1 lives on every machine; no process has the greatest id
  writeFileSync(join(partial, `${sha256}.1.part`), BYTES.subarray(0, 500));
  writeFileSync(join(partial, `${sha256}.4194304.part`), BYTES.subarray(0, 1_000));
  const server = await hub(whole);
  expect(await provision(folder, server)).toMatchObject({ ok: true });
  expect(server.ranges).toEqual(["bytes=1000-"]);
  expect(readdirSync(partial)).toEqual([`${sha256}.1.part`]);
});

test("a server that ignores ranges sends the whole file, which replaces the part", async () => {
  const folder = newFolder();
  const server = await hub(cutAfter(100_000, folder), (_request, response) => {
    head(response, 0, BYTES);
    response.end(BYTES);
  });
  expect(await provision(folder, server)).toMatchObject({ ok: true });
  expectComplete(folder);
});

test("a file that changed meanwhile is not joined to the part: If-Range carries its ETag", async () => {
  const folder = newFolder();
  let ifRange: unknown;
  const server = await hub(cutAfter(100_000, folder), (request, response, startBytes) => {
    ifRange = request.headers["if-range"];
    whole(request, response, startBytes);
  });
  expect(await provision(folder, server)).toMatchObject({ ok: true });
  expect(ifRange).toBe('"v1"');
});

test("a part with wrong bytes is seen by the hash, and the file is fetched again from its first byte", async () => {
  const folder = newFolder();
  const partial = join(folder, ".partial");
  mkdirSync(partial);
  writeFileSync(join(partial, `${MANIFEST.files[0]?.sha256}.${process.pid}.part`), Buffer.alloc(100_000, 1));
  const server = await hub(whole);
  expect(await provision(folder, server)).toMatchObject({ ok: true });
  expect(server.ranges).toEqual(["bytes=100000-", undefined]);
  expectComplete(folder);
});

test.each<[string, Answer, RegExp]>([
  [
    "serves other bytes",
    (_request, response) => response.writeHead(200, { "content-length": BYTES.length }).end(Buffer.alloc(BYTES.length)),
    /SHA-256 differs/u,
  ],
  ["never answers", () => undefined, /no answer within 300 ms/u],
  [
    "stalls in the middle",
    (_request, response, startBytes) => {
      head(response, startBytes, BYTES);
      response.write(BYTES.subarray(startBytes, startBytes + 10));
    },
    /no byte within 300 ms \(4 connections\)/u,
  ],
  [
    "sends without end",
    (_request, response) => {
      response.writeHead(200);
      const more = (): void => {
        if (!response.destroyed) response.write(Buffer.alloc(65_536), more);
      };
      more();
    },
    /more bytes than the pinned file has/u,
  ],
  ["cuts each connection at once", (_request, response) => response.destroy(), /hub: model.safetensors: fetch failed/u],
  ["answers with a page", (_request, response) => response.writeHead(200).end("<html>"), /6 bytes instead of 400000/u],
  ["has no such file", (_request, response) => response.writeHead(404).end(), /HTTP 404/u],
])("a hub that %s is given up with its reason, and no file appears", async (_what, answer, reason) => {
  const folder = newFolder();
  const outcome = await provision(folder, await hub(answer));
  if (outcome.ok) throw new Error("nothing could have come");
  expect(describeProvisionError(MANIFEST.modelId, outcome.error)).toMatch(reason);
  expect(readdirSync(folder).filter((name) => name !== ".partial")).toEqual([]);
});
