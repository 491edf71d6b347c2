/** What the Worker is told from outside: each variable with its bounds, what it is for and where that is explained. docs/environment.md is made of it. */
import { z } from "zod";
import { shardMapSchema, type ShardMap } from "../lib/db/shard-map.ts";
import { keysByTenant } from "../lib/pii/key-text.ts";

export interface VariableNote {
  /** A noun with what it does, without a full stop. */
  readonly what: string;
  /** The document in docs/ that explains it. */
  readonly guide: string;
  /** Put with `wrangler secret put`, and never shown. */
  readonly isSecret?: boolean;
}

/** The note of each variable's schema. */
export const VARIABLES = z.registry<VariableNote>();

/** `{"tenant": "base64 of 32 bytes", …}` as bytes by tenant. */
const piiKeysSchema = z.string().transform((json, context) => {
  const keys = keysByTenant(json);
  if (keys === undefined) context.addIssue({ code: "custom", message: "no keys by tenant" });
  return keys;
});

/** The shard map as JSON, or an issue without the value: it holds passwords. */
const shardsSchema = z.string().transform((json, context) => {
  const map = parsedShards(json);
  if (map === undefined) context.addIssue({ code: "custom", message: "no shard map" });
  return map;
});

function parsedShards(json: string): ShardMap | undefined {
  try {
    return shardMapSchema.safeParse(JSON.parse(json)).data;
  } catch {
    return undefined;
  }
}

function wholeNumber(min: number, max: number): z.ZodCoercedNumber {
  return z.coerce.number().int().min(min).max(max);
}

export const variablesSchema = z.object({
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//)
    .register(VARIABLES, {
      what: "the home database as `jeeves_app`, which owns nothing",
      guide: "scale.md",
      isSecret: true,
    }),
  DATABASE_URL_NEXT: z
    .string()
    .regex(/^postgres(ql)?:\/\//)
    .optional()
    .register(VARIABLES, {
      what: "the same database with the password that comes next: both are tried",
      guide: "scale.md",
      isSecret: true,
    }),
  DATABASE_SHARDS: shardsSchema.optional().register(VARIABLES, {
    what: "JSON: databases beside the home one, and which tenants they hold",
    guide: "scale.md",
    isSecret: true,
  }),
  SQL_FETCH_ENDPOINT: z.url().optional().register(VARIABLES, {
    what: "address of a `/sql` endpoint where it is not Neon's own: the local stack sets it",
    guide: "decisions/0004-local-runtime.md",
  }),
  EMBED_ENDPOINT: z.url().register(VARIABLES, { what: "the embedding server", guide: "cpu-gpu.md", isSecret: true }),
  EMBED_TOKEN: z
    .string()
    .min(1)
    .optional()
    .register(VARIABLES, { what: "its bearer token", guide: "deploy.md", isSecret: true }),
  EMBED_ENDPOINT_NEXT: z.url().optional().register(VARIABLES, {
    what: "a second embedding server, which runs another model while the active one changes",
    guide: "models.md",
    isSecret: true,
  }),
  EMBED_TOKEN_NEXT: z
    .string()
    .min(1)
    .optional()
    .register(VARIABLES, { what: "the bearer token of that one", guide: "models.md", isSecret: true }),
  METRICS_TOKEN: z
    .string()
    .min(16)
    .optional()
    .register(VARIABLES, { what: "what Prometheus sends to `/metrics`", guide: "metrics.md", isSecret: true }),
  PII_ENDPOINT: z.url().optional().register(VARIABLES, {
    what: "a server with Presidio's analyzer API, asked beside our own rules",
    guide: "pii.md",
  }),
  PII_LANGUAGE: z
    .string()
    .regex(/^[a-z]{2}$/)
    .default("en")
    .register(VARIABLES, { what: "language that the analyzer is asked in", guide: "pii.md" }),
  PII_KEYS: piiKeysSchema.optional().register(VARIABLES, {
    what: "JSON: keys of reversible placeholders by tenant, 32 bytes each as base64",
    guide: "pii.md",
    isSecret: true,
  }),
  PROFILE_WATCH: z.enum(["off", "poll"]).default("off").register(VARIABLES, {
    what: "temporary: `poll` looks for profiles that were written by SQL",
    guide: "profiles.md",
  }),
  LOG_LEVEL: z
    .enum(["info", "warn", "error", "silent"])
    .default("info")
    .register(VARIABLES, { what: "least level of a log line that is written", guide: "operations.md" }),
  SESSION_SECRET: z.string().min(32).optional().register(VARIABLES, {
    what: "signs write tokens of sessions; without it no session can be opened",
    guide: "sessions.md",
    isSecret: true,
  }),
  MAX_ACTIVE_SESSIONS: wholeNumber(1, 100_000)
    .default(1_000)
    .register(VARIABLES, { what: "sessions open at once, all tenants together", guide: "sessions.md" }),
  SESSION_TENANT_SHARE: z.coerce
    .number()
    .gt(0)
    .max(1)
    .default(0.5)
    .register(VARIABLES, { what: "part of them that one tenant may hold", guide: "sessions.md" }),
  SESSION_LEASE_SECONDS: wholeNumber(10, 86_400).default(900).register(VARIABLES, {
    what: "how long an open session keeps its place without a sign of life",
    guide: "sessions.md",
  }),
  SESSION_ROTATE_BYTES: wholeNumber(1_024, 256 * 1024 * 1024)
    .default(64 * 1024 * 1024)
    .register(VARIABLES, { what: "size at which a segment is sealed", guide: "sessions.md" }),
  SESSION_ROTATE_SECONDS: wholeNumber(1, 86_400)
    .default(600)
    .register(VARIABLES, { what: "age of its first event at which a segment is sealed", guide: "sessions.md" }),
  SESSION_IDLE_SECONDS: wholeNumber(1, 86_400).default(300).register(VARIABLES, {
    what: "time without an event after which a session is sealed and closed",
    guide: "sessions.md",
  }),
  SESSION_FLUSH_MS: wholeNumber(1, 60_000)
    .default(1_000)
    .register(VARIABLES, { what: "how long the first event of a micro-batch waits for others", guide: "sessions.md" }),
  INGEST_BACKLOG_MAX: wholeNumber(1, 10_000_000).optional().register(VARIABLES, {
    what: "messages that may wait to be indexed before ingest answers 429; without it acceptance never waits for indexing",
    guide: "operations.md",
  }),
  SUMMARY_ENDPOINT: z.url().optional().register(VARIABLES, {
    what: "an OpenAI-compatible server that writes summaries; named together with its model",
    guide: "summaries.md",
  }),
  SUMMARY_MODEL: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .register(VARIABLES, { what: "the model that it is asked for", guide: "summaries.md" }),
  SUMMARY_TOKEN: z
    .string()
    .min(1)
    .optional()
    .register(VARIABLES, { what: "its bearer token", guide: "summaries.md", isSecret: true }),
  SYNC_ENDPOINT: z
    .url()
    .optional()
    .register(VARIABLES, { what: "an S3-compatible server that holds a second copy of the bucket", guide: "sync.md" }),
  SYNC_BUCKET: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .register(VARIABLES, { what: "the bucket there", guide: "sync.md" }),
  SYNC_REGION: z.string().min(1).max(100).default("auto").register(VARIABLES, { what: "its region", guide: "sync.md" }),
  SYNC_ACCESS_KEY_ID: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .register(VARIABLES, { what: "id of the access key there", guide: "sync.md", isSecret: true }),
  SYNC_SECRET_ACCESS_KEY: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .register(VARIABLES, { what: "the access key itself", guide: "sync.md", isSecret: true }),
});

/** A second remote is named by all of these, or not at all. */
const SYNC_VARIABLES = ["SYNC_ENDPOINT", "SYNC_BUCKET", "SYNC_ACCESS_KEY_ID", "SYNC_SECRET_ACCESS_KEY"] as const;

/** A server that writes summaries is named together with its model, or not at all. */
export const checkedVariablesSchema = variablesSchema
  .refine(
    ({ SUMMARY_ENDPOINT: endpoint, SUMMARY_MODEL: model }) => (endpoint === undefined) === (model === undefined),
    { path: ["SUMMARY_MODEL"] },
  )
  .refine((variables) => new Set(SYNC_VARIABLES.map((name) => variables[name] === undefined)).size === 1, {
    path: ["SYNC_ENDPOINT"],
  });
