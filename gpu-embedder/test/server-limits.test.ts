import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { readConfig } from "../src/config.ts";
import { post, testServer } from "./test-server.ts";

const LONG = "some words of a text that takes a while ".repeat(24);

test("a full queue answers 429 with Retry-After at once, and what was admitted is answered", async () => {
  const server = await testServer({ EMBED_QUEUE_TOKENS: "2000" });
  try {
    const replies = await Promise.all(
      Array.from({ length: 12 }, () =>
        post(`${server.url}/v1/embeddings`, { input: Array.from({ length: 8 }, () => LONG) }),
      ),
    );
    const statuses = replies.map((reply) => reply.status);
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
    const refused = replies.find((reply) => reply.status === 429);
    expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect(await refused?.json()).toMatchObject({ error: { code: "overloaded", type: "rate_limit_error" } });
    expect((await post(`${server.url}/v1/embeddings`, { input: "after the storm" })).status).toBe(200);
  } finally {
    await server.stop();
  }
});

test("texts whose client has left are not computed", async () => {
  const server = await testServer();
  try {
    const metric = async (name: string): Promise<number> => {
      const text = await (await fetch(`${server.url}/metrics`)).text();
      return Number(new RegExp(`^${name} (\\d+)`, "mu").exec(text)?.[1]);
    };
    const leaving = new AbortController();
    const body = JSON.stringify({ input: Array.from({ length: 400 }, () => LONG) });
    const headers = { "content-type": "application/json" };
    const gone = fetch(`${server.url}/v1/embeddings`, { method: "POST", headers, body, signal: leaving.signal }).catch(
      () => "gone",
    );
    while ((await metric("te_queue_size")) === 0) continue;
    leaving.abort();
    expect(await gone).toBe("gone");
    const startMs = performance.now();
    while ((await metric("te_queue_size")) > 0) continue;
    expect(performance.now() - startMs).toBeLessThan(2_000);
    expect(await metric("te_embed_success")).toBe(0);
    expect((await post(`${server.url}/v1/embeddings`, { input: "next" })).status).toBe(200);
  } finally {
    await server.stop();
  }
});

test("with a token, every route but health asks for it", async () => {
  const server = await testServer({ EMBED_TOKEN: "s3cret-token" });
  try {
    for (const headers of [{}, { authorization: "Bearer wrong" }, { authorization: "s3cret-token" }]) {
      const response = await post(`${server.url}/v1/embeddings`, { input: "a" }, headers);
      expect([response.status, await response.json()]).toMatchObject([401, { error: { code: "unauthorized" } }]);
    }
    expect((await fetch(`${server.url}/info`)).status).toBe(401);
    for (const path of ["/health", "/livez", "/readyz"]) expect((await fetch(server.url + path)).status).toBe(200);
    const given = { authorization: "Bearer s3cret-token" };
    expect((await post(`${server.url}/v1/embeddings`, { input: "a" }, given)).status).toBe(200);
  } finally {
    await server.stop();
  }
});

test("a single query overtakes a bulk job", async () => {
  const server = await testServer();
  try {
    let bulkDone = false;
    const bulk = post(`${server.url}/v1/embeddings`, { input: Array.from({ length: 100 }, () => LONG) }).then(
      (response) => {
        bulkDone = true;
        return response.status;
      },
    );
    await fetch(`${server.url}/livez`);
    expect((await post(`${server.url}/v1/embeddings`, { input: "a short question" })).status).toBe(200);
    expect(bulkDone).toBe(false);
    expect(await bulk).toBe(200);
  } finally {
    await server.stop();
  }
});

/** Starts the server as a process, gives it some seconds of work and then these signals. Returns how it ended. */
async function signalled(signals: readonly NodeJS.Signals[]): Promise<{
  readonly end: number | NodeJS.Signals | null;
  readonly events: readonly string[];
  readonly reply: Promise<number | "cut">;
}> {
  const env = { ...process.env, PORT: "0", EMBED_THREADS: "1" };
  const child = spawn(process.execPath, [new URL("../src/main.ts", import.meta.url).pathname], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exit = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? signal));
  });
  const events: string[] = [];
  let reply: Promise<number | "cut"> = Promise.resolve("cut");
  for await (const line of createInterface({ input: child.stdout })) {
    const event: { event: string; port?: number } = JSON.parse(line);
    events.push(event.event);
    const next = signals[events.filter((name) => name === "draining").length];
    if (event.event === "listening") {
      const url = `http://127.0.0.1:${event.port}`;
      reply = post(`${url}/v1/embeddings`, { input: Array.from({ length: 60 }, () => LONG) }).then(
        (response) => response.status,
        () => "cut",
      );
      while (!/^te_queue_size [1-9]/mu.test(await (await fetch(`${url}/metrics`)).text())) continue;
    }
    if (next !== undefined && ["listening", "draining"].includes(event.event)) child.kill(next);
  }
  return { end: await exit, events, reply };
}

test("SIGTERM lets the admitted request finish and ends the process cleanly", async () => {
  const { end, events, reply } = await signalled(["SIGTERM"]);
  expect([end, await reply]).toEqual([0, 200]);
  expect(events).toEqual(expect.arrayContaining(["listening", "draining", "stopped"]));
});

test("a second signal does not wait", async () => {
  const { end, events, reply } = await signalled(["SIGTERM", "SIGINT"]);
  expect([end, await reply]).toEqual(["SIGKILL", "cut"]);
  expect(events.at(-1)).toBe("stopped_at_once");
});

test("a wrong setting is named without its value", () => {
  const outcome = readConfig({ PORT: "99999999", EMBED_THREADS: "many" });
  expect(outcome).toMatchObject({ ok: false, error: { code: "config_invalid" } });
  const detail = outcome.ok ? "" : outcome.error.detail;
  expect(detail).toMatch(/PORT.*EMBED_THREADS/u);
  expect(detail).not.toMatch(/99999999|many/u);
});
