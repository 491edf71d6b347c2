import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** Stands before an HTTP server and may change what comes back. */
export interface Proxy {
  readonly url: string;
  close(): Promise<void>;
}

export interface Passing {
  readonly path: string;
  readonly header: (name: string) => string | undefined;
  readonly body: Buffer;
}

export interface Reply {
  readonly isOk: boolean;
  readonly body: Buffer;
}

export type Treatment =
  /** Asks the server and gives its reply, or what `altered` makes of it: undefined cuts the connection. */
  | { readonly kind: "pass"; readonly altered?: (reply: Reply) => string | Buffer | undefined }
  /** Never asks the server. */
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body: string;
    }
  | { readonly kind: "cut" };

/** Hop-by-hop, or of the body as it travelled. */
const OWN_HEADERS = /^(host|connection|keep-alive|content-length|content-encoding|transfer-encoding)$/;

export async function openProxy(
  targetUrl: string,
  treat: (passing: Passing) => Treatment | Promise<Treatment>,
): Promise<Proxy> {
  const server = createServer((request, response) => {
    pass(targetUrl, treat, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a listening server has a port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function pass(
  targetUrl: string,
  treat: (passing: Passing) => Treatment | Promise<Treatment>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(Buffer.from(part));
  const body = Buffer.concat(parts);
  const header = (name: string): string | undefined => {
    const value = request.headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  const path = request.url ?? "";
  const treatment = await treat({ path, header, body });
  if (treatment.kind === "cut") return void response.destroy();
  if (treatment.kind === "answer") {
    response.writeHead(treatment.status, treatment.headers ?? { "content-type": "application/json" });
    return void response.end(treatment.body);
  }
  const method = request.method ?? "GET";
  const headers = headersOf(Object.entries(request.headers));
  const reply = await fetch(targetUrl + path, { method, headers, ...(body.length === 0 ? {} : { body }) });
  const bytes = Buffer.from(await reply.arrayBuffer());
  const { altered = (whole: Reply) => whole.body } = treatment;
  const passed = altered({ isOk: reply.ok, body: bytes });
  if (passed === undefined) return void response.destroy();
  response.writeHead(reply.status, Object.fromEntries(headersOf([...reply.headers])));
  response.end(passed);
}

function headersOf(headers: readonly (readonly [string, unknown])[]): [string, string][] {
  return headers.flatMap(([name, value]) =>
    typeof value === "string" && !OWN_HEADERS.test(name) ? [[name, value] as [string, string]] : [],
  );
}
