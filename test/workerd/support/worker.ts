import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { inject } from "vitest";
import { z } from "zod";
import { acceptedReceiptSchema } from "../../../src/lib/contract/accept-reply.ts";
import { ulidFactory } from "../../../src/lib/base/ids.ts";
import type { KeyScope } from "../../../src/lib/contract/principal.ts";
import { createNeonSql } from "../../../src/lib/db/neon-sql.ts";
import type { Sql } from "../../../src/lib/db/sql.ts";
import {
  createKey,
  createTenant,
  type KeyRequest,
  type KeysContext,
  type MadeKey,
} from "../../../src/lib/flows/keys/manage-keys.ts";
import type { Env } from "../../../src/workers/env.ts";
import worker from "../../../src/workers/index.ts";

/** The bindings of the suite. The pool makes them from wrangler.toml; only the types meet here. */
export function suiteEnv(overrides: Readonly<Record<string, unknown>> = {}): Env {
  return Object.assign(Object.create(null), env, overrides);
}

export function suiteSql(): Sql {
  const { connectionString, endpointUrl } = inject("provided");
  return createNeonSql({ connectionString, fetchEndpoint: endpointUrl, timeoutMs: 30_000 });
}

/** As the owner of the database. */
function ownerSql(): Sql {
  const { ownerConnectionString, endpointUrl } = inject("provided");
  return createNeonSql({ connectionString: ownerConnectionString, fetchEndpoint: endpointUrl, timeoutMs: 30_000 });
}

const newId = ulidFactory(Date.now, Math.random);

export function keysContext(sql: Sql = suiteSql()): KeysContext {
  return { sql, newId, clock: Date.now, fillRandom: (bytes) => void crypto.getRandomValues(bytes) };
}

/** Makes the tenant if need be, and a key of it; one of an operator as the owner of the database, who alone can. */
export async function makeKey(
  tenantId: string,
  scopes: readonly KeyScope[],
  more: Partial<KeyRequest> = {},
): Promise<MadeKey> {
  const context = keysContext(scopes.includes("operator") ? ownerSql() : suiteSql());
  await createTenant(context.sql, tenantId, "");
  const made = await createKey(context, { tenantId, userId: "", scopes, label: "test", expiresAtMs: null, ...more });
  if (!made.ok) throw new Error(made.error.code);
  return made.value;
}

const bodySchema = z.object({
  code: z.string().default(""),
  request_id: z.string().default(""),
  batch_tag: z.string().default(""),
  token: z.string().default(""),
  accepted: z.int().default(0),
  receipts: z.array(acceptedReceiptSchema).default([]),
  key: z.string().default(""),
  key_id: z.string().default(""),
  keys: z.array(z.object({ key_id: z.string() })).default([]),
});

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** The body as it is; undefined where it is no JSON. */
  readonly json: unknown;
  /** The same, as far as the suites look into it. */
  readonly body: z.infer<typeof bodySchema>;
  readonly text: string;
}

/** One request through the Worker's own entry. What it left for later (a copy in KV, counters) goes on by itself. */
export async function ask(
  path: string,
  init: Omit<RequestInit, "cf"> & { key?: string } = {},
  bindings: Env = suiteEnv(),
): Promise<Reply> {
  const { key, ...rest } = init;
  const headers = new Headers(rest.headers);
  if (key !== undefined) headers.set("authorization", `Bearer ${key}`);
  const execution = createExecutionContext();
  const request = new Request<unknown, IncomingRequestCfProperties>(`https://jeeves.test${path}`, { ...rest, headers });
  const response = await worker.fetch(request, bindings, execution);
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json") === true;
  const json: unknown = isJson && text !== "" ? JSON.parse(text) : undefined;
  const body = bodySchema.safeParse(json);
  return { status: response.status, headers: response.headers, text, json, body: body.data ?? bodySchema.parse({}) };
}

/** Posts documents as JSON, or any body with its headers. */
export function ingest(
  key: string,
  body: string | Uint8Array | Readonly<Record<string, unknown>>,
  headers: Record<string, string> = {},
  bindings?: Env,
): Promise<Reply> {
  const sent = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
  const init = { method: "POST", key, body: sent, headers: { "content-type": "application/json", ...headers } };
  return ask("/v1/documents", init, bindings);
}
