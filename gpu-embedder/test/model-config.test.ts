import { mkdtempSync, cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readModelConfig, readSentenceConfig } from "../src/graph/model-config.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "model-config-"));
  cpSync(join(import.meta.dirname, "golden", "tiny-cls"), folder, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Changes fields of one of the folder's JSON files; undefined takes a field out. */
function change(name: string, fields: Readonly<Record<string, unknown>>): void {
  const path = join(folder, name);
  const file: unknown = JSON.parse(readFileSync(path, "utf8"));
  writeFileSync(path, JSON.stringify({ ...(typeof file === "object" ? file : {}), ...fields }));
}

function lengthMax(): number | undefined {
  const config = readSentenceConfig(folder);
  return config.ok ? config.value.inputTokensMax : undefined;
}

describe("the configuration of a model folder", () => {
  test("takes the longest input from where it is said, never beyond the positions", () => {
    change("config.json", { max_position_embeddings: 64 });
    change("tokenizer_config.json", { model_max_length: 40 });
    change("sentence_bert_config.json", { max_seq_length: 24 });
    expect(lengthMax()).toBe(24);
    change("sentence_bert_config.json", { max_seq_length: undefined });
    expect(lengthMax()).toBe(40);
    change("tokenizer_config.json", { model_max_length: 1e30 });
    expect(lengthMax()).toBe(64);
  });

  test("counts RoBERTa's positions from behind the padding token's", () => {
    change("config.json", { model_type: "xlm-roberta", max_position_embeddings: 66, pad_token_id: 1 });
    change("tokenizer_config.json", { model_max_length: 512 });
    change("sentence_bert_config.json", { max_seq_length: undefined });
    expect(lengthMax()).toBe(64);
  });

  test.each([
    ["an encoder of another family", "config.json", { model_type: "modernbert" }],
    ["another activation", "config.json", { hidden_act: "relu" }],
    ["rotary positions", "config.json", { position_embedding_type: "rotary" }],
  ])("is refused by the graph builder for %s, and read for a ready-made graph", (_, name, fields) => {
    change(name, fields);
    expect(readModelConfig(folder)).toMatchObject({ ok: false, error: { code: "model_unsupported" } });
    expect(readSentenceConfig(folder)).toMatchObject({ ok: true });
  });

  test.each([
    [{ pooling_mode: "max" }],
    [{ pooling_mode: undefined, pooling_mode_mean_tokens: true, pooling_mode_cls_token: true }],
    [{ pooling_mode: undefined, pooling_mode_max_tokens: true }],
  ])("is refused for pooling by %j", (fields) => {
    change("1_Pooling/config.json", fields);
    expect(readSentenceConfig(folder)).toMatchObject({ ok: false, error: { code: "model_unsupported" } });
  });
});
