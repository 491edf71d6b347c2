import type { Fetcher, KVNamespace, Queue, R2Bucket } from "@cloudflare/workers-types";
import { z } from "zod";
import type { EmbedMessage, SealMessage } from "../lib/contract/queue-message.ts";
import type { ShardMap } from "../lib/db/shard-map.ts";
import type { SessionGateApi } from "../lib/session/session-gate-api.ts";
import type { SessionLogApi } from "../lib/session/session-log-api.ts";
import type { MetricsHubs } from "./metrics.ts";
import { checkedVariablesSchema, type variablesSchema } from "./variables.ts";

/** What wrangler.toml binds. Every name there stands here. */
export interface Bindings {
  readonly BUCKET: R2Bucket;
  readonly EMBED_QUEUE: Queue<EmbedMessage>;
  readonly SEAL_QUEUE: Queue<SealMessage>;
  readonly API_KEYS: KVNamespace;
  readonly METRICS_HUB: MetricsHubs;
  readonly SESSION_GATE: { getByName(name: string): SessionGateApi };
  readonly SESSION_LOG: { getByName(name: string): SessionLogApi & Pick<Fetcher, "fetch"> };
}

/** Bindings and variables as the runtime hands them over; the variables are still unchecked. */
export type Env = Bindings & Readonly<Record<string, unknown>>;

export interface Config {
  readonly database: { readonly sqlFetchEndpoint: string | undefined };
  /** `nextEndpoint`: a second server, which runs another model while the active one changes. */
  readonly embedder: { readonly endpoint: string; readonly nextEndpoint: string | undefined };
  /** Messages that may wait in the queue before ingest is refused; undefined: any number. */
  readonly ingest: { readonly backlogMax: number | undefined };
  /** A server with Presidio's analyzer API, where there is one. */
  readonly pii: { readonly endpoint: string | undefined; readonly language: string };
  readonly log: { readonly level: "info" | "warn" | "error" | "silent" };
  /** TEMPORARY: whether rows of `profiles` written by SQL are looked for. */
  readonly profiles: { readonly watch: "off" | "poll" };
  readonly sessions: SessionsConfig;
  /** An OpenAI-compatible server that writes summaries; undefined: they are extractive. */
  readonly summaries: { readonly endpoint: string; readonly model: string } | undefined;
  /** A bucket of an S3-compatible server that holds a second copy; undefined: there is none. */
  readonly sync: SyncConfig | undefined;
}

export interface SyncConfig {
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
}

/** How many sessions may be open at once, and how long each stage of one may take. */
export interface SessionsConfig {
  readonly activeMax: number;
  /** Part of the open sessions that one tenant may hold, above 0 and at most 1. */
  readonly tenantShare: number;
  readonly leaseMs: number;
  /** A segment is sealed at this size, or at this age of its first event. */
  readonly rotateBytes: number;
  readonly rotateMs: number;
  /** A session without an event for so long is sealed and closed. */
  readonly idleMs: number;
  /** How long the first event of a micro-batch waits for others. */
  readonly flushMs: number;
}

/** Kept apart from the configuration so that no dump of the one shows the other. */
export interface Secrets {
  readonly databaseUrl: string;
  /** The same database with the password that comes next, while it is changed. */
  readonly databaseUrlNext: string | undefined;
  /** Databases beside that one, and which tenants they hold. */
  readonly shardMap: ShardMap | undefined;
  readonly embedToken: string | undefined;
  /** Of the second server. */
  readonly embedTokenNext: string | undefined;
  readonly metricsToken: string | undefined;
  readonly summaryToken: string | undefined;
  readonly syncSecretAccessKey: string | undefined;
  /** Signs write tokens; without it no session can be opened. */
  readonly sessionSecret: string | undefined;
  /** Keys of reversible placeholders by tenant, 32 bytes each. */
  readonly piiKeys: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** A deployment whose variables are missing or malformed. Names variables, never their values. */
export class EnvError extends Error {
  override readonly name = "EnvError";
}

function syncOf(variables: z.output<typeof variablesSchema>): SyncConfig | undefined {
  const { SYNC_ENDPOINT: endpoint, SYNC_BUCKET: bucket, SYNC_ACCESS_KEY_ID: accessKeyId } = variables;
  if (endpoint === undefined || bucket === undefined || accessKeyId === undefined) return undefined;
  return { endpoint, bucket, accessKeyId, region: variables.SYNC_REGION };
}

/** Checks the variables and groups them. Throws `EnvError`: nothing works without them. */
export function readEnv(env: Readonly<Record<string, unknown>>): { config: Config; secrets: Secrets } {
  const parsed = checkedVariablesSchema.safeParse(env);
  if (!parsed.success) {
    const names = [...new Set(parsed.error.issues.map((issue) => String(issue.path[0])))];
    throw new EnvError(`missing or malformed variables: ${names.join(", ")}`);
  }
  const variables = parsed.data;
  return {
    config: {
      database: { sqlFetchEndpoint: variables.SQL_FETCH_ENDPOINT },
      embedder: { endpoint: variables.EMBED_ENDPOINT, nextEndpoint: variables.EMBED_ENDPOINT_NEXT },
      ingest: { backlogMax: variables.INGEST_BACKLOG_MAX },
      pii: { endpoint: variables.PII_ENDPOINT, language: variables.PII_LANGUAGE },
      log: { level: variables.LOG_LEVEL },
      profiles: { watch: variables.PROFILE_WATCH },
      sessions: {
        activeMax: variables.MAX_ACTIVE_SESSIONS,
        tenantShare: variables.SESSION_TENANT_SHARE,
        leaseMs: variables.SESSION_LEASE_SECONDS * 1000,
        rotateBytes: variables.SESSION_ROTATE_BYTES,
        rotateMs: variables.SESSION_ROTATE_SECONDS * 1000,
        idleMs: variables.SESSION_IDLE_SECONDS * 1000,
        flushMs: variables.SESSION_FLUSH_MS,
      },
      summaries:
        variables.SUMMARY_ENDPOINT === undefined || variables.SUMMARY_MODEL === undefined
          ? undefined
          : { endpoint: variables.SUMMARY_ENDPOINT, model: variables.SUMMARY_MODEL },
      sync: syncOf(variables),
    },
    secrets: {
      databaseUrl: variables.DATABASE_URL,
      databaseUrlNext: variables.DATABASE_URL_NEXT,
      shardMap: variables.DATABASE_SHARDS,
      embedToken: variables.EMBED_TOKEN,
      embedTokenNext: variables.EMBED_TOKEN_NEXT ?? variables.EMBED_TOKEN,
      metricsToken: variables.METRICS_TOKEN,
      summaryToken: variables.SUMMARY_TOKEN,
      syncSecretAccessKey: variables.SYNC_SECRET_ACCESS_KEY,
      sessionSecret: variables.SESSION_SECRET,
      piiKeys: variables.PII_KEYS ?? new Map(),
    },
  };
}
