/** The composition root: the only place where adapters are constructed, once for each isolate. */
import { Authenticator } from "../lib/auth/authenticator.ts";
import { openWriteToken, sealWriteToken, type WriteToken, type WriteTokenFailure } from "../lib/auth/write-token.ts";
import type { Clock, Random } from "../lib/base/clock.ts";
import { LIMITS } from "../lib/base/limits.ts";
import { ulidFactory } from "../lib/base/ids.ts";
import type { Log } from "../lib/base/log.ts";
import type { Result } from "../lib/base/result.ts";
import { sha256Hex } from "../lib/base/bytes.ts";
import { checkDatabases } from "../lib/db/check-database.ts";
import { createMeasuredSql } from "../lib/db/measured-sql.ts";
import { openDatabases } from "../lib/db/open-databases.ts";
import type { Sql } from "../lib/db/sql.ts";
import type { Embedder } from "../lib/embed/embedder.ts";
import { createEmbedderPool } from "../lib/embed/embedder-pool.ts";
import type { RequestBudget } from "../lib/embed/request-batches.ts";
import { createHttpEmbedder } from "../lib/embed/http-embedder.ts";
import { createMeasuredEmbedder } from "../lib/embed/measured-embedder.ts";
import { loadLanguageDetector, type LanguageDetector } from "../lib/gate/language.ts";
import { createAnalyzer, type Analyzer } from "../lib/pii/analyzer-client.ts";
import { PiiKeyring } from "../lib/pii/keyring.ts";
import type { TrainingContext } from "../lib/flows/dictionaries/train-tenant.ts";
import { findKey } from "../lib/flows/keys/find-key.ts";
import { IngestAdmission } from "../lib/flows/ingest/admission.ts";
import { S3Client } from "../lib/s3/s3-client.ts";
import type { SessionGateApi } from "../lib/session/session-gate-api.ts";
import { sessionKey, type SessionIdentity } from "../lib/session/session-log-api.ts";
import { createModelSource, tokenizerKey, type ModelSource } from "../lib/flows/models/model-source.ts";
import { type Condense, createCondense } from "../lib/summarise/chat-client.ts";
import { provedZstd } from "../lib/zstd/proved-zstd.ts";
import { trainDictionary } from "../lib/zstd/train-dictionary.ts";
import zstdModule from "../lib/zstd/zstd.wasm";
import type { ZstdCodec } from "../lib/zstd/zstd-codec.ts";
import { readEnv, type Bindings, type Config, type Env, type Secrets } from "./env.ts";
import { createJsonLog } from "./json-log.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { noteEmbedCall, noteSqlCall } from "./note-calls.ts";
import { currentTrace, traceHeaders } from "./trace-scope.ts";

/** Everything a handler may use. Flows take the parts they name. */
export interface Context {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly sleep: (delayMs: number) => Promise<void>;
  readonly newUlid: () => string;
  readonly newId: () => string;
  readonly fillRandom: (bytes: Uint8Array<ArrayBuffer>) => void;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly bucket: Bindings["BUCKET"];
  readonly embedQueue: Bindings["EMBED_QUEUE"];
  readonly sealQueue: Bindings["SEAL_QUEUE"];
  readonly keyCopies: Bindings["API_KEYS"];
  /** Finds the database of each tenant by itself. */
  readonly sql: Sql;
  /** Each database by the name of its shard. */
  readonly databases: ReadonlyMap<string, Sql>;
  /** Sends each text to the server that runs the fingerprint asked for. */
  readonly embedder: Embedder;
  /** The server of EMBED_ENDPOINT, and while the model changes that of EMBED_ENDPOINT_NEXT. */
  readonly embedders: readonly [Embedder, ...Embedder[]];
  readonly models: ModelSource;
  readonly requestBudget: RequestBudget;
  readonly loadLanguageDetector: () => Promise<LanguageDetector>;
  /** zstd with dictionaries, which has shown that it uses them: one for the isolate, made when it is first asked for. */
  readonly loadZstd: () => Promise<ZstdCodec>;
  /** zstd's trainer, in an instance whose memory goes with it. */
  readonly trainDictionary: TrainingContext["trainDictionary"];
  readonly analyzer: Analyzer | undefined;
  /** Writes summaries in other words; undefined: they are extractive. */
  readonly condense: Condense | undefined;
  /** The bucket that holds a second copy; undefined: there is none. */
  readonly remote: S3Client | undefined;
  /** Keys of tenants whose placeholders open again. */
  readonly piiKeys: PiiKeyring;
  /** Start-up check of the database: undefined when it is as it has to be, else a code. */
  readonly checkDatabase: () => Promise<string | undefined>;
  readonly authenticator: Authenticator;
  readonly ingestAdmission: IngestAdmission;
  /** Undefined in a deployment without the secret of sessions. */
  readonly writeTokens: WriteTokens | undefined;
  /** Made for each use, as `sessionLog`: a stub belongs to the request that made it. */
  readonly sessionGate: () => SessionGateApi;
  readonly sessionLog: (session: SessionIdentity) => ReturnType<Bindings["SESSION_LOG"]["getByName"]>;
  /** Whether an Authorization header carries the metrics token; false when none is configured. */
  readonly isMetricsToken: (authorization: string | null) => Promise<boolean>;
}

/** Write tokens with this deployment's secret and clock. */
interface WriteTokens {
  readonly seal: (token: WriteToken) => string;
  readonly open: (text: string) => Result<WriteToken, WriteTokenFailure>;
}

/** For a statement of the background path, milliseconds: a cold start of the database takes a few seconds. */
const SQL_TIMEOUT_MS = 20_000;
/** For one embedding request, milliseconds: 32 texts on a busy CPU take about two seconds. */
const EMBED_TIMEOUT_MS = 60_000;
/** For one text at the external analyzer, milliseconds: its client waits for it. */
const ANALYZER_TIMEOUT_MS = 5_000;
/** For one summary by an endpoint, milliseconds: six hundred tokens of a small model take some seconds, and a queue waits for it. */
const SUMMARY_TIMEOUT_MS = 30_000;

/** One embedding request: text-embeddings-inference takes 32 texts, and a CPU is fastest at two to four thousand tokens. */
const REQUEST_BUDGET: RequestBudget = { textsMax: 32, tokensMax: 4_096 };

const contexts = new WeakMap<Env, Context>();

/** What a transaction calls itself in `pg_stat_activity` and in the server's log. */
const applicationName = (): string | undefined => {
  const trace = currentTrace();
  return trace === undefined ? undefined : `jeeves ${trace.traceId}`;
};

/** The context of this isolate; made again only when the runtime hands over another environment, as it may to a Durable Object. */
export function contextOf(env: Env): Context {
  const known = contexts.get(env);
  if (known !== undefined) return known;
  const context = createContext(env);
  contexts.set(env, context);
  return context;
}

function createContext(env: Env): Context {
  const { config, secrets } = readEnv(env);
  const clock: Clock = () => Date.now();
  const metrics = createMetrics(env.METRICS_HUB);
  const measured = (sql: Sql): Sql => createMeasuredSql(sql, clock, (call) => noteSqlCall(metrics, call));
  const { sql, byShard: databases } = openDatabases(
    {
      connectionString: secrets.databaseUrl,
      nextConnectionString: secrets.databaseUrlNext,
      fetchEndpoint: config.database.sqlFetchEndpoint,
    },
    { map: secrets.shardMap, timeoutMs: SQL_TIMEOUT_MS, applicationName, wrap: measured },
  );
  const newUlid = ulidFactory(clock, secureRandom());
  const embedders = embeddersOf({ config, secrets, clock, metrics });
  return {
    config,
    clock,
    random: () => Math.random(),
    sleep: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs)),
    newUlid,
    newId: newUlid,
    fillRandom: (bytes) => void crypto.getRandomValues(bytes),
    log: createJsonLog({
      level: config.log.level,
      onError: (event) => metrics.count("log_errors_total", { event }),
      traceId: () => currentTrace()?.traceId,
    }),
    metrics,
    bucket: env.BUCKET,
    embedQueue: env.EMBED_QUEUE,
    sealQueue: env.SEAL_QUEUE,
    keyCopies: env.API_KEYS,
    sql,
    databases,
    embedders,
    embedder: createEmbedderPool(embedders, clock),
    models: createModelSource({
      sql,
      clock,
      readTokenizer: async (fingerprint) => {
        const object = await env.BUCKET.get(tokenizerKey(fingerprint));
        return object === null ? null : new Uint8Array(await object.arrayBuffer());
      },
    }),
    requestBudget: REQUEST_BUDGET,
    loadLanguageDetector: once(loadLanguageDetector),
    loadZstd: once(async () => provedZstd(zstdModule)),
    trainDictionary: async (samples, options) => trainDictionary(zstdModule, samples, options),
    analyzer: analyzerOf(config),
    condense: condenseOf(config, secrets),
    remote: remoteOf(config, secrets),
    piiKeys: new PiiKeyring(secrets.piiKeys),
    checkDatabase: () => checkDatabases(databases.values()),
    authenticator: new Authenticator({
      findKey: (keyHash) => findKey(databases.values(), keyHash),
      copies: env.API_KEYS,
      clock,
    }),
    ingestAdmission: admissionOf(config, env.EMBED_QUEUE, clock),
    writeTokens: writeTokensOf(secrets.sessionSecret, clock),
    sessionGate: () => env.SESSION_GATE.getByName("gate"),
    sessionLog: (session) => env.SESSION_LOG.getByName(sessionKey(session)),
    isMetricsToken: (authorization) => matchesToken(authorization, secrets.metricsToken),
  };
}

function embeddersOf({
  config,
  secrets,
  clock,
  metrics,
}: {
  readonly config: Config;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly metrics: Metrics;
}): readonly [Embedder, ...Embedder[]] {
  const open = (endpoint: string, token: string | undefined): Embedder =>
    createMeasuredEmbedder(
      createHttpEmbedder({
        endpoint,
        token,
        timeoutMs: EMBED_TIMEOUT_MS,
        extraHeaders: traceHeaders,
        fetch: (input, init) => fetch(input, init),
      }),
      clock,
      (call) => noteEmbedCall(metrics, call),
    );
  const { endpoint, nextEndpoint } = config.embedder;
  const current = open(endpoint, secrets.embedToken);
  return nextEndpoint === undefined ? [current] : [current, open(nextEndpoint, secrets.embedTokenNext)];
}

function admissionOf({ ingest }: Config, queue: Bindings["EMBED_QUEUE"], clock: Clock): IngestAdmission {
  return new IngestAdmission({
    limits: {
      requestsMax: LIMITS.ingestRequestsInHandMax,
      bytesMax: LIMITS.ingestBytesInHandMax,
      backlogMax: ingest.backlogMax,
    },
    clock,
    readBacklog: async () => (await queue.metrics()).backlogCount,
  });
}

function writeTokensOf(secret: string | undefined, clock: Clock): WriteTokens | undefined {
  if (secret === undefined) return undefined;
  return {
    seal: (token) => sealWriteToken(token, secret),
    open: (text) => openWriteToken(text, secret, clock()),
  };
}

function analyzerOf({ pii }: Config): Analyzer | undefined {
  if (pii.endpoint === undefined) return undefined;
  return createAnalyzer({
    endpoint: pii.endpoint,
    language: pii.language,
    timeoutMs: ANALYZER_TIMEOUT_MS,
    fetch: (input, init) => fetch(input, init),
  });
}

function condenseOf({ summaries }: Config, { summaryToken }: Secrets): Condense | undefined {
  if (summaries === undefined) return undefined;
  return createCondense({
    ...summaries,
    token: summaryToken,
    timeoutMs: SUMMARY_TIMEOUT_MS,
    fetch: (input, init) => fetch(input, init),
  });
}

function remoteOf({ sync }: Config, { syncSecretAccessKey }: Secrets): S3Client | undefined {
  if (sync === undefined || syncSecretAccessKey === undefined) return undefined;
  return new S3Client(
    { ...sync, secretAccessKey: syncSecretAccessKey },
    {
      fetch: (url, init) => fetch(url, init),
      clock: () => Date.now(),
      random: () => Math.random(),
      sleep: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs)),
    },
  );
}

/**
 * Loads a thing until it is there, then keeps it. What is under way is not shared: a promise belongs to the invocation that made it, and in another
 * one (a queue's beside a Durable Object's) its end may come in the wrong place.
 */
function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: { readonly value: T } | undefined;
  return async () => {
    if (loaded !== undefined) return loaded.value;
    const value = await load();
    loaded ??= { value };
    return loaded.value;
  };
}

/** Uniform numbers from the cryptographic source, fetched 256 at a time: an id takes sixteen of them. */
function secureRandom(): Random {
  const pool = new Uint32Array(256);
  let used = pool.length;
  return () => {
    if (used === pool.length) {
      crypto.getRandomValues(pool);
      used = 0;
    }
    return (pool[used++] ?? 0) / 2 ** 32;
  };
}

/** Compares hashes, so that the time taken says nothing about the token. */
async function matchesToken(authorization: string | null, token: string | undefined): Promise<boolean> {
  const given = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
  if (token === undefined || given === undefined) return false;
  const [a, b] = await Promise.all([sha256Hex(given), sha256Hex(token)]);
  return a === b;
}
