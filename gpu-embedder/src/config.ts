import { availableParallelism } from "node:os";
import { z } from "zod";
import { err, ok, type Result } from "./base/result.ts";
import { modelFolderOf } from "./model/model-location.ts";

const integer = (minimum: number, maximum: number): z.ZodPipe<z.ZodString, z.ZodTransform<number, string>> =>
  z.string().transform((text, context) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= minimum && value <= maximum) return value;
    context.addIssue({ code: "custom", message: `must be a whole number from ${minimum} to ${maximum}` });
    return z.NEVER;
  });

const environmentSchema = z.object({
  HOST: z.string().min(1).default("127.0.0.1"),
  PORT: integer(0, 65_535).optional(),
  EMBED_TOKEN: z.string().min(1).optional(),
  EMBED_THREADS: integer(1, 256).optional(),
  EMBED_PRECISION: z.enum(["fp32", "int8"]).default("int8"),
  EMBED_MODEL_ID: z.string().min(1).optional(),
  EMBED_BATCH_TOKENS: integer(1, 1_048_576).optional(),
  EMBED_QUEUE_TOKENS: integer(1, 1_000_000_000).optional(),
  EMBED_REQUESTS_MAX: integer(1, 65_536).optional(),
  EMBED_CLIENT_BATCH_MAX: integer(1, 2_048).optional(),
  EMBED_BULK_NICE: integer(0, 19).optional(),
  EMBED_DRAIN_SECONDS: integer(0, 3_600).optional(),
});

/** Everything the server takes from its surroundings, checked. */
export type Config = {
  readonly host: string;
  readonly port: number;
  readonly token: string | undefined;
  readonly threadCount: number;
  /** Added to the nice value of the threads that do bulk work. More than 5 would starve them on a busy machine. */
  readonly bulkNiceness: number;
  readonly precision: "fp32" | "int8";
  readonly modelId: string | undefined;
  readonly modelFolder: string;
  readonly limits: ServerLimits;
};

export type ServerLimits = {
  /** Padded tokens of one batch. Small batches stay in the caches: 512 to 1,024 gave the most tokens/s on 2 cores in int8. */
  readonly batchTokensMax: number;
  /** Texts of one batch. */
  readonly batchTextsMax: number;
  /** Tokens that may wait in a lane: about 20 s of work on 2 cores. */
  readonly queueTokensMax: number;
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

/** Reads the environment. Errors: `config_invalid` with the names of the variables at fault, never their values. */
export function readConfig(environment: NodeJS.ProcessEnv): Result<Config, ConfigError> {
  const parsed = environmentSchema.safeParse(environment);
  if (!parsed.success) {
    const detail = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ");
    return err({ code: "config_invalid", detail });
  }
  const values = parsed.data;
  return ok({
    host: values.HOST,
    port: values.PORT ?? PORT_DEFAULT,
    token: values.EMBED_TOKEN,
    threadCount: values.EMBED_THREADS ?? availableParallelism(),
    bulkNiceness: values.EMBED_BULK_NICE ?? 5,
    precision: values.EMBED_PRECISION,
    modelId: values.EMBED_MODEL_ID,
    modelFolder: modelFolderOf(environment),
    limits: {
      batchTokensMax: values.EMBED_BATCH_TOKENS ?? 768,
      batchTextsMax: 64,
      queueTokensMax: values.EMBED_QUEUE_TOKENS ?? 262_144,
      requestsMax: values.EMBED_REQUESTS_MAX ?? 512,
      clientTextsMax: values.EMBED_CLIENT_BATCH_MAX ?? 2_048,
      clientTokensMax: 300_000,
      bodySizeBytesMax: 8 * 1024 * 1024,
      textLengthMax: 1_000_000,
      drainSeconds: values.EMBED_DRAIN_SECONDS ?? 30,
    },
  });
}
