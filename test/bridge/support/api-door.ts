import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/**
 * A door in front of the API. `pass` goes through; `down` cuts the connection; `busy` and `unavailable` answer 429 and 503 with `Retry-After: 1`;
 * `deaf` lets the request through and cuts the connection instead of replying.
 */
export type DoorState = "pass" | "down" | "busy" | "unavailable" | "deaf";

export interface ApiDoor {
  readonly url: string;
  state: DoorState;
  /** Times of the requests that came, milliseconds. */
  readonly arrivalsMs: number[];
  /** Requests whose reply was kept back. */
  unansweredCount: number;
  close(): Promise<void>;
}

export async function openApiDoor(targetUrl: string): Promise<ApiDoor> {
  const server = createServer((request, response) => {
    door.arrivalsMs.push(Date.now());
    answer(door, targetUrl, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a listening server has a port");
  const door: ApiDoor = {
    url: `http://127.0.0.1:${address.port}`,
    state: "pass",
    arrivalsMs: [],
    unansweredCount: 0,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return door;
}

async function answer(
  door: ApiDoor,
  targetUrl: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (door.state === "down") {
    response.destroy();
    return;
  }
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(Buffer.from(part));
  if (door.state === "busy" || door.state === "unavailable") {
    const status = door.state === "busy" ? 429 : 503;
    response.writeHead(status, { "retry-after": "1", "content-type": "application/problem+json" });
    response.end(JSON.stringify({ code: "rate_limited" }));
    return;
  }
  const headers = Object.entries(request.headers).flatMap(([name, value]) =>
    typeof value === "string" && !["host", "connection", "content-length"].includes(name)
      ? [[name, value] as [string, string]]
      : [],
  );
  const reply = await fetch(targetUrl + (request.url ?? ""), {
    method: request.method ?? "POST",
    headers,
    body: Buffer.concat(parts),
  });
  const body = Buffer.from(await reply.arrayBuffer());
  if (door.state === "deaf") {
    door.unansweredCount += 1;
    response.destroy();
    return;
  }
  // The body was decompressed on its way here.
  const passed = [...reply.headers].filter(
    ([name]) => !/^(content-encoding|content-length|transfer-encoding)$/.test(name),
  );
  response.writeHead(reply.status, Object.fromEntries(passed));
  response.end(body);
}
