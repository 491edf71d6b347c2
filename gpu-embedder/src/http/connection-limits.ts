import type { Server } from "node:http";

/** What a client may take from the server before it has been answered. Time in milliseconds, sizes in bytes. */
export type ConnectionLimits = {
  /** Open connections. The next one is closed as it comes: twice the requests in the house, the rest idle. */
  readonly connectionsMax: number;
  /** All header lines of a request: Node's default, room for a token and a trace. Beyond it 431. */
  readonly headerSizeBytesMax: number;
  /** From the connection's first byte, or its opening, to the end of the headers. Beyond it 408. */
  readonly headersTimeoutMs: number;
  /** To the end of the body: 8 MiB at 140 KB/s. Beyond it 408. */
  readonly requestTimeoutMs: number;
  /** Idle time between two requests. Longer than the minute of common load balancers, so that they close first. */
  readonly keepAliveTimeoutMs: number;
  /** For the client to take its reply: 17 MB of floats at 300 KB/s. Beyond it the connection is cut. */
  readonly replyTimeoutMs: number;
  /** How often the times above are looked at. */
  readonly checkIntervalMs: number;
  /** Bodies of all requests in the house. Beyond it 429: 32 of the largest, or 512 of half a megabyte. */
  readonly bodiesSizeBytesMax: number;
};

export const CONNECTION_LIMITS: ConnectionLimits = {
  connectionsMax: 1_024,
  headerSizeBytesMax: 16 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  keepAliveTimeoutMs: 65_000,
  replyTimeoutMs: 60_000,
  checkIntervalMs: 1_000,
  bodiesSizeBytesMax: 256 * 1024 * 1024,
};

/** The options of Node's server that hold these limits. */
export function serverOptionsOf(limits: ConnectionLimits): {
  readonly maxHeaderSize: number;
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  readonly keepAliveTimeout: number;
  readonly connectionsCheckingInterval: number;
} {
  return {
    maxHeaderSize: limits.headerSizeBytesMax,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: limits.checkIntervalMs,
  };
}

/** Holds a server to the limits that are no options of Node's. */
export function applyConnectionLimits(server: Server, limits: ConnectionLimits): void {
  server.maxConnections = limits.connectionsMax;
  // before the listener that answers, which may do so at once
  server.prependListener("request", (_request, response) => {
    // "prefinish": the whole reply is written on our side and waits for the client to read it
    response.once("prefinish", () => {
      const timer = setTimeout(() => response.destroy(), limits.replyTimeoutMs);
      response.once("close", () => clearTimeout(timer));
    });
  });
}
