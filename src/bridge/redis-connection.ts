/** The only file that makes Redis clients. What it prints of a URL is host, port and database: never a user or a password. */
import {
  AbortError,
  ClientClosedError,
  ClientOfflineError,
  ConnectionTimeoutError,
  createClient,
  DisconnectsClientError,
  ErrorReply,
  ReconnectStrategyError,
  SocketClosedUnexpectedlyError,
  SocketTimeoutError,
} from "@redis/client";
import { backoffMs } from "./backoff.ts";
import { BRIDGE_LIMITS } from "./bridge-limits.ts";

export type RedisClient = ReturnType<typeof makeClient>;

/** A ping this often keeps the connection from being idle; one that is silent for longer than the timeout is dead. Milliseconds. */
const PING_EVERY_MS = 10_000;
const SOCKET_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;

const FAILURES = [
  AbortError,
  ClientClosedError,
  ClientOfflineError,
  ConnectionTimeoutError,
  DisconnectsClientError,
  ErrorReply,
  ReconnectStrategyError,
  SocketClosedUnexpectedlyError,
  SocketTimeoutError,
];

/** Whether Redis or the way to it failed; anything else is a mistake of ours. */
export function isRedisFailure(error: unknown): error is Error {
  if (FAILURES.some((kind) => error instanceof kind)) return true;
  return error instanceof Error && "syscall" in error;
}

/** A short reason without content: the code of a reply (`NOGROUP`) or of the network (`ECONNREFUSED`). */
export function redisReason(error: Error): string {
  if (error instanceof ReconnectStrategyError) return redisReason(error.originalError);
  if (error instanceof ErrorReply) return /^[A-Z]+/.exec(error.message)?.[0] ?? "ERR";
  return "code" in error && typeof error.code === "string" ? error.code : error.constructor.name;
}

/** Where a URL points to. */
export function redisPlace(url: string): string {
  const { protocol, hostname, port, pathname } = new URL(url);
  return `${protocol}//${hostname}:${port === "" ? "6379" : port}${pathname === "/" ? "" : pathname}`;
}

/**
 * A connected client that reconnects by itself, for ever. While it is not connected its commands fail at once: what is to be repeated, and
 * until when, is the caller's business. Rejects only when the server answers and refuses (a wrong password), or on `signal`.
 */
export async function connectRedis(
  url: string,
  options: { readonly signal: AbortSignal; readonly onFailure: (reason: string) => void },
): Promise<RedisClient> {
  let hasConnected = false;
  const client = makeClient(url, (retries, cause) => {
    const isRefusal = cause instanceof ErrorReply && redisReason(cause) !== "LOADING";
    if (isRefusal && !hasConnected) return cause;
    return backoffMs(retries + 1, BRIDGE_LIMITS.redisBackoffMaxMs, Math.random());
  });
  client.on("error", (error: unknown) => options.onFailure(error instanceof Error ? redisReason(error) : "unknown"));
  const destroy = (): void => client.destroy();
  options.signal.addEventListener("abort", destroy, { once: true });
  try {
    await client.connect();
  } finally {
    options.signal.removeEventListener("abort", destroy);
  }
  hasConnected = true;
  return client;
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- the library's client type is made of what it is given
function makeClient(url: string, reconnectStrategy: (retries: number, cause: Error) => number | Error) {
  return createClient({
    url,
    socket: { reconnectStrategy, connectTimeout: CONNECT_TIMEOUT_MS, socketTimeout: SOCKET_TIMEOUT_MS },
    pingInterval: PING_EVERY_MS,
    disableOfflineQueue: true,
    // Neither is needed, and a user of few rights may not send them.
    disableClientInfo: true,
    maintNotifications: "disabled",
  });
}
