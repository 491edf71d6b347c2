import { readConfig } from "../src/config.ts";
import { CONNECTION_LIMITS, type ConnectionLimits } from "../src/http/connection-limits.ts";
import type { Log } from "../src/log.ts";
import { startServer, type RunningServer } from "../src/server.ts";

export type TestServer = RunningServer & { readonly url: string };

type TestServerOptions = { readonly limits?: Partial<ConnectionLimits>; readonly log?: Log };

/** The real server with the real model, in this process, on a free port. */
export async function testServer(
  environment: NodeJS.ProcessEnv = {},
  { limits, log = () => undefined }: TestServerOptions = {},
): Promise<TestServer> {
  const merged: NodeJS.ProcessEnv = { ...process.env, PORT: "0", EMBED_THREADS: "1", ...environment };
  const config = readConfig(merged);
  if (!config.ok) throw new Error(config.error.detail);
  const started = await startServer(config.value, merged, log, { ...CONNECTION_LIMITS, ...limits });
  if (!started.ok) throw new Error(started.error.detail);
  return { ...started.value, url: `http://127.0.0.1:${started.value.port}` };
}

export function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return fetch(url, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: text });
}
