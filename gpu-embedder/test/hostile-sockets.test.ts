import { once } from "node:events";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { applyConnectionLimits, CONNECTION_LIMITS } from "../src/http/connection-limits.ts";
import { post, testServer, type TestServer } from "./test-server.ts";

const LIMITS = {
  connectionsMax: 24,
  headersTimeoutMs: 400,
  requestTimeoutMs: 2_000,
  checkIntervalMs: 50,
  bodiesSizeBytesMax: 16 * 1024 * 1024,
};

let server: TestServer;
beforeAll(async () => {
  server = await testServer({}, { limits: LIMITS });
});
afterAll(() => server.stop());

/** Whatever a client did, nobody else feels it and nothing of it stays. */
afterEach(async () => {
  expect((await post(`${server.url}/v1/embeddings`, { input: "still here" })).status).toBe(200);
  const state: unknown = await (await fetch(`${server.url}/readyz`)).json();
  expect(state).toMatchObject({ status: "ready", queued_texts: 0, active_requests: 0 });
});

async function open(): Promise<Socket> {
  const socket = connect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

/** Everything that comes until the server closes. */
async function received(socket: Socket): Promise<string> {
  let text = "";
  socket.setEncoding("latin1").on("data", (part) => {
    text += String(part);
  });
  await new Promise<void>((resolve) => socket.once("end", resolve).once("close", resolve));
  socket.destroy();
  return text;
}

async function exchange(text: string): Promise<string> {
  const socket = await open();
  socket.write(text);
  return received(socket);
}

function request(body: string, headers = ""): string {
  const length = Buffer.byteLength(body);
  const head = `POST /v1/embeddings HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${length}`;
  return `${head}\r\n${headers}\r\n${body}`;
}

function statuses(text: string): readonly number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /gu)].map((match) => Number(match[1]));
}

const CLOSE = "connection: close\r\n";
const BODY = JSON.stringify({ input: "a text" });

test("an HTTP/1.0 client without a Host header is answered", async () => {
  const reply = await exchange(`POST /embed HTTP/1.0\r\ncontent-length: 14\r\n\r\n{"inputs":"a"}`);
  expect(statuses(reply)).toEqual([200]);
});

test("a client that waits for 100 Continue gets it, then its reply", async () => {
  const socket = await open();
  const reply = received(socket);
  socket.write(request("", `expect: 100-continue\r\n${CLOSE}`).replace("length: 0", `length: ${BODY.length}`));
  socket.once("data", () => socket.write(BODY));
  expect(statuses(await reply)).toEqual([100, 200]);
});

test("pipelined requests are answered one after another, in their order", async () => {
  const reply = await exchange(
    `${request(BODY)}GET /livez HTTP/1.1\r\nhost: a\r\n\r\n${request("{")}${request(BODY, CLOSE)}`,
  );
  expect(statuses(reply)).toEqual([200, 200, 400, 200]);
  expect(reply.indexOf('"live"')).toBeGreaterThan(reply.indexOf('"embedding"'));
});

test("a client that closes its sending half counts as gone, for nothing tells it from one that is", async () => {
  const socket = await open();
  socket.end(request(BODY));
  expect(await received(socket)).toBe("");
});

test.each([
  ["says nothing", ""],
  ["stops within its headers", "POST /embed HTTP/1.1\r\nhost: a\r\nx-slow: "],
  ["stops within its body", request(BODY).slice(0, -3)],
])("a client that %s is answered 408 within the time limit", async (_what, text) => {
  const startMs = performance.now();
  expect(statuses(await exchange(text))).toEqual([408]);
  expect(performance.now() - startMs).toBeLessThan(5_000);
});

test("a client that drips its headers byte by byte is cut off just the same", async () => {
  const socket = await open();
  const timer = setInterval(() => socket.write("x"), 20);
  socket.write("GET /livez HTTP/1.1\r\nhost: a\r\nx-drip: ");
  const reply = await received(socket);
  clearInterval(timer);
  expect(statuses(reply)).toEqual([408]);
});

test("a chunked body without end is refused at the limit", async () => {
  const socket = await open();
  socket.write("POST /embed HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
  const chunk = `10000\r\n${"a".repeat(65_536)}\r\n`;
  const more = (): void => {
    if (socket.writable) socket.write(chunk, more);
  };
  more();
  const reply = await received(socket);
  expect(statuses(reply)[0]).toBe(413);
  expect(reply).toContain("body_too_large");
});

test.each([
  ["garbage", "\u0000\u0001\u0002\r\n\r\n", 400],
  ["a TLS hello", "\u0016\u0003\u0001\u0002\u0000", 400],
  ["two lengths", "POST /embed HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}", 400],
  ["headers beyond the limit", `GET /livez HTTP/1.1\r\nhost: a\r\nx-big: ${"b".repeat(20_000)}\r\n\r\n`, 431],
  ["an unknown expectation", request(BODY, `expect: miracles\r\n${CLOSE}`), 417],
])("%s is refused by the HTTP parser", async (_what, text, status) => {
  expect(statuses(await exchange(text))).toEqual([status]);
});

test("connections over the limit are closed as they come; when some go, new ones are served", async () => {
  const idle = await Promise.all(Array.from({ length: LIMITS.connectionsMax }, open));
  const surplus = await open();
  expect(await received(surplus)).toBe("");
  for (const socket of idle) socket.destroy();
  await Promise.all(idle.map((socket) => once(socket, "close")));
  expect((await fetch(`${server.url}/livez`)).status).toBe(200);
});

test("bodies that are set aside beyond the limit are answered 429 at once", async () => {
  const big = 7 * 1024 * 1024;
  const head = request("", "").replace("length: 0", `length: ${big}`);
  const slow = await Promise.all([open(), open()]);
  for (const socket of slow) socket.write(head);
  // requests of one connection are handled in order: its first one has been seen when another connection's is answered
  await fetch(`${server.url}/livez`);
  const socket = await open();
  socket.write(head);
  const reply = received(socket);
  expect(statuses(await reply)).toContain(429);
  for (const other of slow) other.destroy();
  await Promise.all(slow.map((other) => once(other, "close")));
});

test("a client that vanishes while its texts wait leaves no work behind, and is counted as dropped", async () => {
  const dropped = async (): Promise<number> => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    return Number(/^te_request_failure\{err="dropped"\} (\d+)/mu.exec(text)?.[1] ?? 0);
  };
  const before = await dropped();
  const texts = Array.from({ length: 300 }, () => "some words of a text that takes a while ".repeat(20));
  const socket = await open();
  socket.write(request(JSON.stringify({ input: texts })));
  const isWaiting = async (): Promise<boolean> =>
    /"queued_texts":[1-9]/u.test(await (await fetch(`${server.url}/readyz`)).text());
  while (!(await isWaiting())) continue;
  socket.destroy();
  while ((await dropped()) === before) continue;
  expect(await isWaiting()).toBe(false);
});

test("a client that does not read its reply is cut off", async () => {
  const stubborn = createServer((_request, response) => {
    response.end(Buffer.alloc(64 * 1024 * 1024));
  });
  applyConnectionLimits(stubborn, { ...CONNECTION_LIMITS, replyTimeoutMs: 200 });
  const closed = new Promise<boolean>((resolve) => {
    stubborn.once("request", (_request, response) => {
      response.once("close", () => resolve(response.writableFinished));
    });
  });
  await new Promise<void>((resolve) => stubborn.listen(0, "127.0.0.1", resolve));
  const address = stubborn.address();
  const socket = connect(typeof address === "object" ? (address?.port ?? 0) : 0, "127.0.0.1").pause();
  socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  expect(await closed).toBe(false);
  socket.destroy();
  stubborn.close();
});
