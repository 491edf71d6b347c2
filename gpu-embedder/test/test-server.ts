import { readConfig } from "../src/config.ts";
import { startServer, type RunningServer } from "../src/server.ts";

export type TestServer = RunningServer & { readonly url: string };

/** The real server with the real model, in this process, on a free port. */
export async function testServer(environment: NodeJS.ProcessEnv = {}): Promise<TestServer> {
  const merged: NodeJS.ProcessEnv = { ...process.env, PORT: "0", EMBED_THREADS: "1", ...environment };
  const config = readConfig(merged);
  if (!config.ok) throw new Error(config.error.detail);
  const started = await startServer(config.value, merged, () => undefined);
  if (!started.ok) throw new Error(started.error.detail);
  return { ...started.value, url: `http://127.0.0.1:${started.value.port}` };
}

export function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return fetch(url, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: text });
}
