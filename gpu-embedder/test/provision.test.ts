import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { folderSource, hubCacheSource } from "../src/model/folder-source.ts";
import { hubSource } from "../src/model/hub-source.ts";
import { MINILM_MANIFEST, type ModelManifest } from "../src/model/manifest.ts";
import { modelFolderOf } from "../src/model/model-location.ts";
import { damagedFiles, describeProvisionError, provisionModel } from "../src/model/provision.ts";
import { realModel } from "./test-model.ts";

const CONTENTS: Readonly<Record<string, string>> = {
  "config.json": "{}",
  "1_Pooling/config.json": "[]",
  "model.safetensors": "weights ".repeat(1000),
};
const MANIFEST: ModelManifest = {
  modelId: "someone/tiny",
  revision: "r1",
  wheel: { packageName: "none", version: "0", folder: "" },
  files: Object.entries(CONTENTS).map(([path, text]) => ({
    path,
    sizeBytes: text.length,
    sha256: createHash("sha256").update(text).digest("hex"),
  })),
};

const folders: string[] = [];
const servers: Server[] = [];

function newFolder(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "provision-"));
  folders.push(folder);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

/** A hub on this machine that serves `files`. */
async function hub(files: Readonly<Record<string, string>>): Promise<NodeJS.ProcessEnv> {
  const server = createServer((request, response) => {
    const prefix = `/${MANIFEST.modelId}/resolve/${MANIFEST.revision}/`;
    const text = files[(request.url ?? "").slice(prefix.length)];
    response.writeHead(text === undefined ? 404 : 200).end(text);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return { HF_ENDPOINT: typeof address === "object" ? `http://127.0.0.1:${address?.port}` : "" };
}

/** An address at which nothing listens any more. */
async function closedHub(): Promise<NodeJS.ProcessEnv> {
  const environment = await hub({});
  const server = servers.pop();
  await new Promise((resolve) => server?.close(resolve));
  return environment;
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  for (const server of servers.splice(0)) server.close();
});

test("a complete folder is left as it is and asks no source", async () => {
  expect(await provisionModel(newFolder(CONTENTS), MANIFEST, [])).toMatchObject({
    ok: true,
    value: { source: "local", filesFetched: 0 },
  });
});

test("only missing and damaged files are fetched, and nothing else is left behind", async () => {
  const target = newFolder({
    ...CONTENTS,
    "model.safetensors": CONTENTS["model.safetensors"]?.replace("w", "v") ?? "",
  });
  const outcome = await provisionModel(target, MANIFEST, [hubSource(await hub(CONTENTS))]);
  expect(outcome).toMatchObject({ ok: true, value: { source: "Hugging Face hub", filesFetched: 1 } });
  expect(readFileSync(join(target, "model.safetensors"), "utf8")).toBe(CONTENTS["model.safetensors"]);
  expect(readdirSync(target).toSorted()).toEqual(["1_Pooling", "config.json", "model.safetensors"]);
});

test("a weight file whose bytes are not the pinned ones is refused, and the next source is asked", async () => {
  const wrong = { ...CONTENTS, "model.safetensors": "weightz ".repeat(1000) };
  const target = newFolder();
  const outcome = await provisionModel(target, MANIFEST, [
    hubSource(await hub(wrong)),
    folderSource(newFolder(CONTENTS)),
  ]);
  expect(outcome).toMatchObject({ ok: true, value: { source: "given folder" } });
  expect(await damagedFiles(target, MANIFEST)).toEqual([]);
});

test("when nothing delivers, the message names every source and its reason, and no file appears", async () => {
  const target = newFolder();
  const cut = { ...CONTENTS, "model.safetensors": "weights" };
  const sources = [
    folderSource(newFolder({ "config.json": "{}" })),
    hubCacheSource({ HF_HOME: newFolder() }),
    hubSource({ EMBED_MODEL_HUB: "0" }),
    hubSource(await hub(cut)),
    hubSource(await hub({})),
    hubSource(await closedHub()),
  ];
  const outcome = await provisionModel(target, MANIFEST, sources);
  if (outcome.ok) throw new Error("nothing could have delivered");
  const message = describeProvisionError(MANIFEST.modelId, outcome.error);
  for (const part of [
    "given folder: 1_Pooling/config.json is not in",
    "Hugging Face cache: no folder",
    "EMBED_MODEL_HUB=0",
    "model.safetensors: 7 bytes instead of 8000",
    "config.json: HTTP 404",
    "ECONNREFUSED",
  ]) {
    expect(message).toContain(part);
  }
  expect(readdirSync(target)).toEqual([]);
});

test("a snapshot in the Hugging Face cache is found by the model's name", async () => {
  const home = newFolder(
    Object.fromEntries(
      Object.entries(CONTENTS).map(([path, text]) => [`hub/models--someone--tiny/snapshots/abc/${path}`, text]),
    ),
  );
  expect(await provisionModel(newFolder(), MANIFEST, [hubCacheSource({ HF_HOME: home })])).toMatchObject({
    ok: true,
    value: { source: "Hugging Face cache" },
  });
});

test("the real weights on disk are the pinned ones, and one flipped byte is seen", async () => {
  await realModel("fp32");
  const folder = modelFolderOf(process.env);
  expect(await damagedFiles(folder, MINILM_MANIFEST)).toEqual([]);
  const copy = newFolder();
  for (const { path } of MINILM_MANIFEST.files) {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    const bytes = readFileSync(join(folder, path));
    if (path === "model.safetensors") bytes[50_000_000] = (bytes[50_000_000] ?? 0) ^ 1;
    writeFileSync(join(copy, path), bytes);
  }
  expect((await damagedFiles(copy, MINILM_MANIFEST)).map((file) => file.path)).toEqual(["model.safetensors"]);
});
