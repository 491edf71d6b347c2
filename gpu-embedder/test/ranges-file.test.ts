import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { RANGES_NAME, rangesFileOf, rangesKeyOf, readRanges } from "../src/model/ranges-file.ts";
import { loadModel, plainRequest } from "../src/model/loaded-model.ts";
import { modelFolderOf } from "../src/model/model-location.ts";
import { realModel } from "./test-model.ts";

const WEIGHTS = "ab".repeat(32);
const LAYER = {
  queryKeyValue: [-1.23456, 2.00049],
  attentionOutput: [-0.5, 0.5],
  intermediate: [-3, 28],
  output: [-0.17, 24],
} as const;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ranges-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const owner = (layerCount = 1): Parameters<typeof readRanges>[0] => ({ folder, weightsSha256: WEIGHTS, layerCount });

test("measured ranges are read as they were written, rounded outwards", () => {
  writeFileSync(join(folder, RANGES_NAME), rangesFileOf([LAYER], WEIGHTS, 12));
  expect(readRanges(owner())).toEqual({
    ok: true,
    value: [{ ...LAYER, queryKeyValue: [-1.235, 2.001] }],
  });
});

test("a model that nobody measured has none", () => {
  expect(readRanges(owner())).toEqual({ ok: true, value: undefined });
});

test.each([
  ["no JSON", "{"],
  ["a range upside down", rangesFileOf([{ ...LAYER, output: [1, 0] }], WEIGHTS, 1)],
  ["no layer", rangesFileOf([], WEIGHTS, 1)],
  ["other weights", rangesFileOf([LAYER], "cd".repeat(32), 1)],
  ["another number of layers", rangesFileOf([LAYER, LAYER], WEIGHTS, 1)],
])("a file with %s is refused and named", (_, text) => {
  writeFileSync(join(folder, RANGES_NAME), text);
  const read = readRanges(owner());
  expect(read).toMatchObject({ ok: false, error: { code: "ranges_invalid" } });
  expect(!read.ok && read.error.detail).toContain(RANGES_NAME);
});

test("the default model's are known, and its int8 fingerprint says which", async () => {
  const [int8, fp32] = [await realModel("int8"), await realModel("fp32")];
  const modelFolder = modelFolderOf(process.env);
  const known = readRanges({ folder: modelFolder, weightsSha256: int8.weightsSha256, layerCount: 6 });
  if (!known.ok || known.value === undefined) throw new Error("no ranges are known");
  expect(int8.graphPath).toContain(rangesKeyOf(known.value));
  expect(int8.fingerprint).not.toBe(fp32.fingerprint);
});

test("npm run calibrate measures another model, whose int8 graph and fingerprint then follow what it found", async () => {
  const modelFolder = join(folder, "tiny-cls");
  cpSync(join(import.meta.dirname, "golden", "tiny-cls"), modelFolder, { recursive: true });
  const request = plainRequest({ folder: modelFolder, modelId: "tiny-cls", precision: "int8", environment: {} });
  const before = await loadModel(request);
  const texts = join(folder, "texts.txt");
  writeFileSync(texts, "the first line\n\nand the second one\n");
  const script = join(import.meta.dirname, "../src/model/calibrate-main.ts");
  const env = { ...process.env, MODEL_DIR: modelFolder, EMBED_MODEL_ID: "tiny-cls" };
  const said = execFileSync(process.execPath, [script, texts], { env, encoding: "utf8" });
  expect(said).toContain("2 texts");
  const after = await loadModel(request);
  if (!before.ok || !after.ok) throw new Error("the model did not load");
  expect(after.value.graphPath).not.toBe(before.value.graphPath);
  expect(after.value.fingerprint).not.toBe(before.value.fingerprint);
});

test("npm run calibrate without a text says so and writes nothing", () => {
  const texts = join(folder, "texts.txt");
  writeFileSync(texts, "\n \n");
  const script = join(import.meta.dirname, "../src/model/calibrate-main.ts");
  const run = spawnSync(process.execPath, [script, texts], { encoding: "utf8" });
  expect([run.status, run.stderr.includes("no text in")]).toEqual([1, true]);
});
