import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A BERT encoder of two layers with seeded random weights, written as sentence-transformers writes one. */
export const TINY = { hidden: 32, intermediate: 64, heads: 4, layers: 2, positions: 24, vocabulary: 50 } as const;

/** Mulberry32: a small generator whose sequence depends on the seed alone. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function tensorShapes(): readonly (readonly [string, readonly number[]])[] {
  const { hidden, intermediate, layers, positions, vocabulary } = TINY;
  const shapes: [string, readonly number[]][] = [
    ["embeddings.word_embeddings.weight", [vocabulary, hidden]],
    ["embeddings.position_embeddings.weight", [positions, hidden]],
    ["embeddings.token_type_embeddings.weight", [2, hidden]],
    ["embeddings.LayerNorm.weight", [hidden]],
    ["embeddings.LayerNorm.bias", [hidden]],
  ];
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `encoder.layer.${layer}`;
    const dense: [string, number, number][] = [
      ["attention.self.query", hidden, hidden],
      ["attention.self.key", hidden, hidden],
      ["attention.self.value", hidden, hidden],
      ["attention.output.dense", hidden, hidden],
      ["intermediate.dense", intermediate, hidden],
      ["output.dense", hidden, intermediate],
    ];
    for (const [name, outputs, inputs] of dense)
      shapes.push([`${prefix}.${name}.weight`, [outputs, inputs]], [`${prefix}.${name}.bias`, [outputs]]);
    for (const name of ["attention.output.LayerNorm", "output.LayerNorm"])
      shapes.push([`${prefix}.${name}.weight`, [hidden]], [`${prefix}.${name}.bias`, [hidden]]);
  }
  return shapes;
}

/** Bytes of a safetensors file with the tiny model's tensors; the header is padded to an odd length, as the format allows. */
export function tinySafetensors(seed: number): Buffer {
  const random = seededRandom(seed);
  const header: Record<string, object> = {};
  const parts: Buffer[] = [];
  let offset = 0;
  for (const [name, shape] of tensorShapes()) {
    const count = shape.reduce((product, size) => product * size, 1);
    const scale = name.includes("LayerNorm.weight") ? 0.1 : 0.5;
    const base = name.includes("LayerNorm.weight") ? 1 : 0;
    const data = Float32Array.from({ length: count }, () => base + (random() - 0.5) * scale);
    header[name] = { dtype: "F32", shape, data_offsets: [offset, offset + data.byteLength] };
    parts.push(Buffer.from(data.buffer));
    offset += data.byteLength;
  }
  const text = Buffer.from(`${JSON.stringify(header)} `);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.byteLength));
  return Buffer.concat([length, text, ...parts]);
}

/** Writes the tiny model into a new folder below the system's temporary one and returns the folder. */
export function writeTinyModel(seed: number, pooling: "mean" | "cls"): string {
  const folder = mkdtempSync(join(tmpdir(), "tiny-model-"));
  mkdirSync(join(folder, "1_Pooling"));
  const config = {
    model_type: "bert",
    hidden_act: "gelu",
    hidden_size: TINY.hidden,
    intermediate_size: TINY.intermediate,
    num_attention_heads: TINY.heads,
    num_hidden_layers: TINY.layers,
    max_position_embeddings: TINY.positions,
    type_vocab_size: 2,
    vocab_size: TINY.vocabulary,
    layer_norm_eps: 1e-12,
    pad_token_id: 0,
  };
  const modes = { pooling_mode_mean_tokens: pooling === "mean", pooling_mode_cls_token: pooling === "cls" };
  const modules = [
    { type: "sentence_transformers.models.Transformer" },
    { type: "sentence_transformers.models.Normalize" },
  ];
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  writeFileSync(join(folder, "1_Pooling/config.json"), JSON.stringify(modes));
  writeFileSync(join(folder, "modules.json"), JSON.stringify(modules));
  writeFileSync(join(folder, "model.safetensors"), tinySafetensors(seed));
  return folder;
}
