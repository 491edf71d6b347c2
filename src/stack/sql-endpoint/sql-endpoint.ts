/**
 * A local stand-in for Neon's `POST /sql`, on the loopback interface only, in front of PGlite or any Postgres.
 * It speaks what `@neondatabase/serverless` sends: array mode, raw text output, batches, Neon's errors and limits.
 */
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout } from "node:timers/promises";
import { assert } from "../../lib/base/assert.ts";
import type { BackendError, BatchOptions, SqlBackend, StatementResult } from "./backend.ts";
import type { FaultPlan } from "./faults.ts";
import { decodeRequest } from "./request.ts";
import type { SqlRequest } from "./request.ts";

/** Request body and response body, each (neon.com FAQ: 64 MB over HTTP). */
const BODY_SIZE_MAX = 64 * 1024 * 1024;
/** Longer than any client keeps an idle connection, so that none is closed under a request. */
const KEEP_ALIVE_MS = 120_000;

export interface SqlEndpointOptions {
  readonly backend: SqlBackend;
  /** 0 or absent: any free port. */
  readonly port?: number;
  readonly bodySizeMax?: number;
  readonly faults?: FaultPlan;
}

export interface SqlEndpoint {
  /** `http://127.0.0.1:<port>/sql`, for the driver's `fetchEndpoint`. */
  readonly url: string;
  readonly port: number;
  /** Cuts running requests (their transactions roll back) and frees the port. The backend stays the caller's. */
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Starts listening. Rejects when the port is taken. */
export async function startSqlEndpoint(options: SqlEndpointOptions): Promise<SqlEndpoint> {
  let requestCount = 0;
  const server = createServer((request, response) => {
    const isSql = request.method === "POST" && request.url === "/sql";
    const index = isSql ? requestCount++ : 0;
    handle(options, index, request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const address = server.address();
  assert(typeof address === "object" && address !== null, "a listening TCP server has an address");
  return {
    url: `http://127.0.0.1:${address.port}/sql`,
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function handle(
  options: SqlEndpointOptions,
  index: number,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!isLoopbackHost(request.headers.host)) return send(response, failure(403, "only loopback host names are served"));
  if (request.method === "GET" && request.url === "/health") {
    return send(response, { status: 200, body: JSON.stringify({ status: "ok", backend: options.backend.name }) });
  }
  if (request.method !== "POST" || request.url !== "/sql") return send(response, failure(404, "not found"));
  const bodySizeMax = options.bodySizeMax ?? BODY_SIZE_MAX;
  const body = await readBody(request, bodySizeMax);
  if (body === undefined) return send(response, failure(507, `request is too large (max is ${bodySizeMax} bytes)`));
  const decoded = decodeRequest((name) => headerOf(request, name), body);
  if (!decoded.ok) return send(response, failure(400, decoded.error));

  const fault = options.faults?.({ index, texts: decoded.value.statements.map(({ text }) => text) });
  if (fault?.kind === "delay") await setTimeout(fault.delayMs);
  if (fault?.kind === "status") return send(response, failure(fault.status, "injected fault"));
  if (fault?.kind === "drop_before") return void response.destroy();
  const answer = await run(options, decoded.value, response, bodySizeMax);
  if (fault?.kind === "drop_after_commit" || answer === undefined) return void response.destroy();
  return send(response, answer);
}

/** The answer, or nothing where the client has hung up. */
async function run(
  { backend }: SqlEndpointOptions,
  request: SqlRequest,
  response: ServerResponse,
  bodySizeMax: number,
): Promise<Answer | undefined> {
  const hungUp = new AbortController();
  if (response.destroyed) hungUp.abort();
  response.once("close", () => {
    if (!response.writableFinished) hungUp.abort();
  });
  const result = await backend.run({
    login: request.login,
    statements: request.statements,
    ...(request.batch === undefined ? {} : { batch: request.batch }),
    signal: hungUp.signal,
    resultSizeMax: bodySizeMax,
  });
  if (!result.ok) return answerOfError(result.error, bodySizeMax);
  const results = result.value.map((each) => resultJson(each, request.arrayMode));
  const body = JSON.stringify(request.batch === undefined ? results[0] : { results });
  if (Buffer.byteLength(body) > bodySizeMax) return answerOfError({ reason: "too_large" }, bodySizeMax);
  return { status: 200, headers: batchHeaders(request.batch), body };
}

function resultJson(result: StatementResult, rowAsArray: boolean): unknown {
  const rows = rowAsArray
    ? result.rows
    : result.rows.map((row) => Object.fromEntries(result.fields.map((field, i) => [field.name, row[i] ?? null])));
  return { fields: result.fields, rows, command: result.command, rowCount: result.rowCount, rowAsArray };
}

function batchHeaders(batch: BatchOptions | undefined): Readonly<Record<string, string>> {
  if (batch === undefined) return {};
  return {
    ...(batch.isolation === undefined ? {} : { "neon-batch-isolation-level": batch.isolation }),
    ...(batch.readOnly ? { "neon-batch-read-only": "true" } : {}),
    ...(batch.deferrable ? { "neon-batch-deferrable": "true" } : {}),
  };
}

function answerOfError(error: BackendError, bodySizeMax: number): Answer | undefined {
  switch (error.reason) {
    case "database":
      return { status: 400, body: JSON.stringify(error.fields) };
    case "too_large":
      return failure(507, `response is too large (max is ${bodySizeMax} bytes)`);
    case "unreachable":
      return failure(500, "the database cannot be reached");
    case "cancelled":
      return undefined;
  }
}

function failure(status: number, message: string): Answer {
  return { status, body: JSON.stringify({ message }) };
}

function send(response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(answer.body),
    ...answer.headers,
  });
  response.end(answer.body);
}

/** The body as text, or undefined beyond the limit; the rest of a refused body is read and thrown away. */
async function readBody(request: IncomingMessage, sizeMax: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    assert(Buffer.isBuffer(chunk), "a request without encoding yields buffers");
    size += chunk.byteLength;
    if (size <= sizeMax) chunks.push(chunk);
  }
  return size > sizeMax ? undefined : Buffer.concat(chunks).toString("utf8");
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Keeps a web page that rebinds its own host name to this machine from being served. */
function isLoopbackHost(host: string | undefined): boolean {
  return /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host ?? "");
}
