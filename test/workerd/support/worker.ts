import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { inject } from "vitest";
import { ulidFactory } from "../../../src/lib/base/ids.ts";
import type { KeyScope } from "../../../src/lib/contract/principal.ts";
import { createNeonSql } from "../../../src/lib/db/neon-sql.ts";
import type { Sql } from "../../../src/lib/db/sql.ts";
import { createKey, createTenant, type KeyRequest, type KeysContext, type MadeKey } from "../../../src/lib/flows/manage-keys.ts";
import type { Env } from "../../../src/workers/env.ts";
import worker from "../../../src/workers/index.ts";
import "./provided.ts";

/** The bindings of the suite. The pool makes them from wrangler.toml; only the types meet here. */
export function suiteEnv(overrides: Readonly<Record<string, unknown>> = {}): Env {
  return Object.assign(Object.create(null), env, overrides);
}

export function suiteSql(): Sql {
  const { connectionString, endpointUrl } = inject("provided");
  return createNeonSql({ connectionString, fetchEndpoint: endpointUrl, timeoutMs: 30_000 });
}

const newId = ulidFactory(Date.now, Math.random);

export function keysContext(): KeysContext {
  return { sql: suiteSql(), newId, clock: Date.now, fillRandom: (bytes) => void crypto.getRandomValues(bytes) };
}

/** Makes the tenant if need be, and a key of it. */
export async function makeKey(tenantId: string, scopes: readonly KeyScope[], more: Partial<KeyRequest> = {}): Promise<MadeKey> {
  const context = keysContext();
  await createTenant(context.sql, tenantId, "");
  const made = await createKey(context, { tenantId, userId: "", scopes, label: "test", expiresAtMs: null, ...more });
  if (!made.ok) throw new Error(made.error.code);
  return made.value;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly json: any;
  readonly text: string;
}

/** One request through the Worker's own entry. What it left for later (a copy in KV, counters) goes on by itself. */
export async function ask(path: string, init: RequestInit & { key?: string } = {}, bindings: Env = suiteEnv()): Promise<Reply> {
  const { key, ...rest } = init;
  const headers = new Headers(rest.headers);
  if (key !== undefined) headers.set("authorization", `Bearer ${key}`);
  const execution = createExecutionContext();
  const request = new Request(`https://jeeves.test${path}`, { ...rest, headers });
  const response = await worker.fetch(request, bindings, execution);
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json") === true;
  return { status: response.status, headers: response.headers, text, json: isJson && text !== "" ? JSON.parse(text) : undefined };
}

/** Posts documents as JSON, or any body with its headers. */
export function ingest(key: string, body: BodyInit | object, headers: Record<string, string> = {}, bindings?: Env): Promise<Reply> {
  const isPlain = typeof body === "object" && Object.getPrototypeOf(body) === Object.prototype;
  return ask(
    "/v1/documents",
    { method: "POST", key, body: isPlain ? JSON.stringify(body) : (body as BodyInit), headers: { "content-type": "application/json", ...headers } },
    bindings,
  );
}
