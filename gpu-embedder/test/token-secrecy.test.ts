import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { isAuthorized } from "../src/http/auth.ts";

const TOKEN = "t0ken-that-nobody-must-see";
const MAIN = new URL("../src/main.ts", import.meta.url).pathname;

/** Every kind of reply there is: right and wrong tokens, good and bad requests, all routes. */
async function everythingSaid(url: string): Promise<string> {
  const authorizations = [`Bearer ${TOKEN}`, `bearer ${TOKEN}`, `Bearer ${TOKEN}x`, TOKEN, `Basic ${TOKEN}`];
  const said: string[] = [];
  const note = async (response: Response): Promise<void> => {
    said.push(JSON.stringify([...response.headers]), await response.text());
  };
  for (const authorization of authorizations) {
    const headers = { authorization, "content-type": "application/json" };
    for (const path of ["/info", "/metrics", "/readyz", "/livez", "/health", "/v1/models", "/nowhere"])
      await note(await fetch(url + path, { headers }));
    for (const path of ["/v1/embeddings", "/embed", "/tokenize", "/decode", "/nowhere"]) {
      for (const body of [`{"input":"a","inputs":"a","ids":[7]}`, "{", `{"input":7,"inputs":7}`])
        await note(await fetch(url + path, { method: "POST", headers, body }));
    }
  }
  return said.join("\n");
}

test("the token appears in no reply, no log line and no other output, from start to stop", async () => {
  const env = { ...process.env, PORT: "0", EMBED_THREADS: "1", EMBED_TOKEN: TOKEN };
  const child = spawn(process.execPath, [MAIN], { env, stdio: ["ignore", "pipe", "pipe"] });
  const closed = once(child, "close");
  const output: string[] = [];
  child.stderr.on("data", (chunk) => output.push(String(chunk)));
  for await (const line of createInterface({ input: child.stdout })) {
    output.push(line);
    const { event, port }: { event: string; port?: number } = JSON.parse(line);
    if (event !== "listening") continue;
    output.push(await everythingSaid(`http://127.0.0.1:${port}`));
    child.kill("SIGTERM");
  }
  await closed;
  const all = output.join("\n");
  expect(all).toContain('"request_failed"');
  expect(all).toContain('"unauthorized"');
  expect(all).toContain('"embedding"');
  expect(all).not.toContain(TOKEN);
});

test("a server that cannot start does not say its token either", async () => {
  const env = { ...process.env, EMBED_TOKEN: TOKEN, EMBED_THREADS: TOKEN };
  const child = spawn(process.execPath, [MAIN], { env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += String(chunk)));
  expect(await once(child, "close")).toEqual([1, null]);
  expect(output).toContain("config_invalid");
  expect(output).not.toContain(TOKEN);
});

test("only the whole token opens, and no other scheme", () => {
  expect(isAuthorized(undefined, undefined)).toBe(true);
  expect(isAuthorized(`Bearer ${TOKEN}`, TOKEN)).toBe(true);
  expect(isAuthorized(`bearer ${TOKEN}`, TOKEN)).toBe(true);
  for (const header of [undefined, "", "Bearer", "Bearer ", `Basic ${TOKEN}`, TOKEN, `Bearer ${TOKEN}x`]) {
    expect(isAuthorized(header, TOKEN)).toBe(false);
  }
  for (let length = 0; length < TOKEN.length; length++)
    expect(isAuthorized(`Bearer ${TOKEN.slice(0, length)}`, TOKEN)).toBe(false);
});
