import type { z } from "zod";

/** A refusal of the service as its problem document says it, or what kept the request from being answered. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  readonly status: number;
  /** Stable code of the problem document; `unreachable`, `unreadable` where there is none. */
  readonly code: string;
  readonly requestId: string | null;

  constructor(facts: { status: number; code: string; message: string; requestId: string | null }) {
    super(facts.message);
    this.status = facts.status;
    this.code = facts.code;
    this.requestId = facts.requestId;
  }
}

export interface Ask<T> {
  readonly path: string;
  readonly schema: z.ZodType<T>;
  readonly method?: "GET" | "POST" | "DELETE";
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  /** Statuses beside 2xx whose body is an answer too. */
  readonly alsoOk?: readonly number[];
}

/** The service as the page asks it, with one key. */
export interface Api {
  ask<T>(ask: Ask<T>): Promise<T>;
  text(path: string, signal?: AbortSignal): Promise<string>;
  /** Whole content, at most `bytesMax` bytes. */
  bytes(path: string, bytesMax: number): Promise<Uint8Array>;
}

type Fetch = (path: string, init: RequestInit) => Promise<Response>;

/** `onRefused` is told when the key itself is not accepted (any more): whatever was asked, the page signs out. */
export function createApi(key: string, { fetch, onRefused }: { fetch: Fetch; onRefused: (code: string) => void }): Api {
  async function respond({ path, method = "GET", body, signal, alsoOk = [] }: Omit<Ask<unknown>, "schema">) {
    const init: RequestInit = {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
      // Nothing that the page shows may lie in a cache of the browser.
      cache: "no-store",
      credentials: "omit",
    };
    const response = await fetch(path, init).catch((cause: unknown) => {
      if (signal?.aborted === true) throw cause;
      throw new ServiceError({
        status: 0,
        code: "unreachable",
        message: "The service did not answer.",
        requestId: null,
      });
    });
    if (response.ok || alsoOk.includes(response.status)) return response;
    const error = await errorOf(response);
    if (error.status === 401) onRefused(error.code);
    throw error;
  }
  return {
    async ask({ schema, ...asked }) {
      const response = await respond(asked);
      const parsed = schema.safeParse(await response.json().catch(() => undefined));
      if (parsed.success) return parsed.data;
      throw new ServiceError({
        status: response.status,
        code: "unreadable",
        message:
          "The service answered in a form that this page does not know. Reload the page: it may be older than the service.",
        requestId: response.headers.get("x-request-id"),
      });
    },
    async text(path, signal) {
      return (await respond({ path, ...(signal === undefined ? {} : { signal }) })).text();
    },
    async bytes(path, bytesMax) {
      const response = await respond({ path });
      return readAtMost(response, bytesMax);
    },
  };
}

async function errorOf(response: Response): Promise<ServiceError> {
  const body: unknown = await response.json().catch(() => ({}));
  const field = (name: string): string | null => {
    const value: unknown = typeof body === "object" && body !== null ? Reflect.get(body, name) : null;
    return typeof value === "string" ? value : null;
  };
  const title = field("title") ?? `The service answered with ${response.status}`;
  const detail = field("detail");
  return new ServiceError({
    status: response.status,
    code: field("code") ?? `http_${response.status}`,
    message: detail === null ? `${title}.` : `${title}: ${detail}.`,
    requestId: field("request_id") ?? response.headers.get("x-request-id"),
  });
}

async function readAtMost(response: Response, bytesMax: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const read = await reader?.read();
    if (read === undefined || read.done) break;
    sizeBytes += read.value.length;
    if (sizeBytes > bytesMax) {
      await reader?.cancel();
      const message = `More than ${Math.round(bytesMax / 1_048_576)} MiB: too large to open here. Download it with the command line.`;
      throw new ServiceError({ status: 0, code: "too_large", message, requestId: null });
    }
    parts.push(read.value);
  }
  const whole = new Uint8Array(sizeBytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
