import { availableParallelism } from "node:os";
import { z } from "zod";
import { resolve } from "node:path";
import { err, ok, type Result } from "./base/result.ts";
import type { Provider } from "./engine/provider.ts";
import { PRECISIONS, type Precision } from "./graph/graph-context.ts";
import { modelFolderOf } from "./model/model-location.ts";

const integer = (minimum: number, maximum: number): z.ZodPipe<z.ZodString, z.ZodTransform<number, string>> =>
  z.string().transform((text, context) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= minimum && value <= maximum) return value;
    context.addIssue({ code: "custom", message: `must be a whole number from ${minimum} to ${maximum}` });
    return z.NEVER;
  });

const flag = z.enum(["0", "1"]).transform((value) => value === "1");

const environmentSchema = z.object({
  HOST: z.string().min(1).default("127.0.0.1"),
  PORT: integer(0, 65_535).optional(),
  EMBED_TOKEN: z.string().min(1).optional(),
  EMBED_THREADS: integer(1, 256).optional(),
  EMBED_PROVIDER: z.enum(["auto", "cuda", "cpu"]).default("auto"),
  REQUIRE_CUDA: flag.default(false),
  EMBED_DEVICE_ID: integer(0, 63).optional(),
  EMBED_PRECISION: z.enum(PRECISIONS).optional(),
  EMBED_ONNX_FILE: z.string().min(1).optional(),
  EMBED_CACHE_DIR: z.string().min(1).optional(),
  EMBED_QUERY_PREFIX: z.string().max(1_000).optional(),
  EMBED_DOCUMENT_PREFIX: z.string().max(1_000).optional(),
  EMBED_MODEL_ID: z.string().min(1).optional(),
  EMBED_BATCH_TOKENS: integer(1, 1_048_576).optional(),
  EMBED_QUEUE_TOKENS: integer(1, 1_000_000_000).optional(),
  EMBED_REUSE_PORT: flag.default(false),
  EMBED_REQUESTS_MAX: integer(1, 65_536).optional(),
  EMBED_CLIENT_BATCH_MAX: integer(1, 2_048).optional(),
  EMBED_BULK_NICE: integer(0, 19).optional(),
  EMBED_DRAIN_SECONDS: integer(0, 3_600).optional(),
});

/** Everything the server takes from its surroundings, checked. */
export type Config = {
  readonly host: string;
  readonly port: number;
  /** Lets several servers listen on one port; the kernel deals the connections out (Linux). */
  readonly reusePort: boolean;
  readonly token: string | undefined;
  readonly threadCount: number;
  /** Added to the nice value of the threads that do bulk work. More than 5 would starve them on a busy machine. */
  readonly bulkNiceness: number;
  /** `auto` takes CUDA where it works and the CPU otherwise; `cuda` starts with nothing else. */
  readonly provider: Provider | "auto";
  /** Number of the CUDA device. */
  readonly deviceId: number;
  /** Undefined: what suits the provider. */
  readonly precision: Precision | undefined;
  readonly modelId: string | undefined;
  readonly modelFolder: string;
  /** Folder of the built graphs: the model's own, or another one where that is read-only. */
  readonly cacheFolder: string;
  /** A ready ONNX file of the model to run instead of a graph built from its weights. */
  readonly onnxPath: string | undefined;
  /** Texts put before queries and documents on request, over those that the model's own files name. */
  readonly prompts: Readonly<Record<string, string>>;
  readonly limits: ServerLimits;
};

export type ServerLimits = {
  /** Padded tokens of one batch; undefined: what suits the provider. */
  readonly batchTokensMax: number | undefined;
  /** Tokens that may wait in a lane; undefined: what suits the provider. */
  readonly queueTokensMax: number | undefined;
  /** Requests in the house at once, as text-embeddings-inference. */
  readonly requestsMax: number;
  /** Texts of one request. OpenAI's own limit is 2,048; text-embeddings-inference's default is 32. */
  readonly clientTextsMax: number;
  /** Tokens of one request, as OpenAI. */
  readonly clientTokensMax: number;
  /** Bytes of a request body: 300 thousand tokens of 4 characters, with room for non-Latin scripts. */
  readonly bodySizeBytesMax: number;
  /** UTF-16 units of one text: tokenized in slices, so it costs time and not responsiveness. */
  readonly textLengthMax: number;
  /** Seconds that a drain may take before the process ends all the same. */
  readonly drainSeconds: number;
};

export type ConfigError = { readonly code: "config_invalid"; readonly detail: string };

const PORT_DEFAULT = 8080;

function promptsOf(query: string | undefined, document: string | undefined): Readonly<Record<string, string>> {
  return { ...(query === undefined ? {} : { query }), ...(document === undefined ? {} : { document }) };
}

/** Reads the environment. Errors: `config_invalid` with the names of the variables at fault, never their values. */
export function readConfig(environment: NodeJS.ProcessEnv): Result<Config, ConfigError> {
  const parsed = environmentSchema.safeParse(environment);
  if (!parsed.success) {
    const detail = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
    return err({ code: "config_invalid", detail });
  }
  const values = parsed.data;
  if (values.REQUIRE_CUDA && values.EMBED_PROVIDER === "cpu")
    return err({ code: "config_invalid", detail: "REQUIRE_CUDA, EMBED_PROVIDER: one demands CUDA, the other the CPU" });
  const modelFolder = modelFolderOf(environment);
  return ok({
    host: values.HOST,
    port: values.PORT ?? PORT_DEFAULT,
    reusePort: values.EMBED_REUSE_PORT,
    token: values.EMBED_TOKEN,
    threadCount: values.EMBED_THREADS ?? availableParallelism(),
    bulkNiceness: values.EMBED_BULK_NICE ?? 5,
    provider: values.REQUIRE_CUDA ? "cuda" : values.EMBED_PROVIDER,
    deviceId: values.EMBED_DEVICE_ID ?? 0,
    precision: values.EMBED_PRECISION,
    modelId: values.EMBED_MODEL_ID,
    modelFolder,
    cacheFolder: values.EMBED_CACHE_DIR === undefined ? modelFolder : resolve(values.EMBED_CACHE_DIR),
    onnxPath: values.EMBED_ONNX_FILE === undefined ? undefined : resolve(values.EMBED_ONNX_FILE),
    prompts: promptsOf(values.EMBED_QUERY_PREFIX, values.EMBED_DOCUMENT_PREFIX),
    limits: {
      batchTokensMax: values.EMBED_BATCH_TOKENS,
      queueTokensMax: values.EMBED_QUEUE_TOKENS,
      requestsMax: values.EMBED_REQUESTS_MAX ?? 512,
      clientTextsMax: values.EMBED_CLIENT_BATCH_MAX ?? 2_048,
      clientTokensMax: 300_000,
      bodySizeBytesMax: 8 * 1024 * 1024,
      textLengthMax: 1_000_000,
      drainSeconds: values.EMBED_DRAIN_SECONDS ?? 30,
    },
  });
}
