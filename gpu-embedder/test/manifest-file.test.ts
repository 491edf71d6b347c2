import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { manifestFor } from "../src/model/manifest-file.ts";
import { MINILM_MANIFEST } from "../src/model/manifest.ts";

const FILE = { path: "1_Pooling/config.json", size_bytes: 10, sha256: "a".repeat(64) };
const MANIFEST = { model_id: "someone/model", revision: "b".repeat(40), files: [FILE] };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "manifest-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(manifest: unknown, name = "model-manifest.json"): string {
  const path = join(folder, name);
  writeFileSync(path, typeof manifest === "string" ? manifest : JSON.stringify(manifest));
  return path;
}

test("without a manifest the default model has its pinned files, and another one is taken as it is", () => {
  expect(manifestFor(folder, undefined, {})).toEqual({ ok: true, value: MINILM_MANIFEST });
  expect(manifestFor(folder, MINILM_MANIFEST.modelId, {})).toEqual({ ok: true, value: MINILM_MANIFEST });
  expect(manifestFor(folder, "someone/model", {})).toEqual({ ok: true, value: undefined });
});

test("the folder's manifest, or the one that EMBED_MODEL_MANIFEST names, pins another model", () => {
  const value = { modelId: "someone/model", revision: MANIFEST.revision, files: [{ sizeBytes: 10 }] };
  const path = write(MANIFEST, "elsewhere.json");
  expect(manifestFor(folder, undefined, { EMBED_MODEL_MANIFEST: path })).toMatchObject({ ok: true, value });
  write(MANIFEST);
  expect(manifestFor(folder, "someone/model", {})).toMatchObject({ ok: true, value });
});

test.each<[string, unknown]>([
  ["no JSON", "{"],
  ["a branch as revision", { ...MANIFEST, revision: "main" }],
  ["no files", { ...MANIFEST, files: [] }],
  ["a path that leaves the folder", { ...MANIFEST, files: [{ ...FILE, path: "../config.json" }] }],
  ["an absolute path", { ...MANIFEST, files: [{ ...FILE, path: "/etc/passwd" }] }],
  ["a short hash", { ...MANIFEST, files: [{ ...FILE, sha256: "abc" }] }],
  ["an unknown field", { ...MANIFEST, extra: 1 }],
])("a manifest with %s is refused", (_what, manifest) => {
  write(manifest);
  expect(manifestFor(folder, undefined, {})).toMatchObject({ ok: false, error: { code: "manifest_invalid" } });
});

test("a manifest of another model than the one asked for is refused, and so is one that is missing where it is named", () => {
  write(MANIFEST);
  expect(manifestFor(folder, "someone/other", {})).toMatchObject({ ok: false, error: { code: "manifest_invalid" } });
  const missing = { EMBED_MODEL_MANIFEST: join(folder, "missing.json") };
  expect(manifestFor(folder, undefined, missing)).toMatchObject({ ok: false, error: { code: "manifest_invalid" } });
});
