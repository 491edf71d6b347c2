import { Agent, request } from "node:http";
import { acceptReplySchema } from "../../src/lib/contract/accept-reply.ts";
import type { LoadDocument } from "./load-source.ts";

/** What became of one request. Times are milliseconds since 1970. */
export interface Sent {
  readonly key: string;
  /** When it was to be sent: latencies count from here, also where the sender was late. */
  readonly plannedAtMs: number;
  readonly repliedAtMs: number;
  /** `none`: no reply came. */
  readonly status: number | "none";
  readonly retryAfter: string | null;
  /** Of a request that was answered with 202. */
  readonly token: string | null;
  readonly text: string;
  /** What the edge said of its document. */
  readonly verdict: string | null;
}

/** A reply that takes longer counts as none. */
const REPLY_TIMEOUT_MS = 60_000;

/** Milliseconds since 1970, as fine and as steady as `performance.now`. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Sends documents, each a request of its own, over connections that are kept open. */
export class DocumentSender {
  readonly #url: string;
  readonly #agent: Agent;

  constructor(baseUrl: string, connectionsMax: number) {
    this.#url = `${baseUrl.replace(/\/$/, "")}/v1/documents`;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connectionsMax });
  }

  /** Never rejects. */
  async send({ key, id, text }: LoadDocument, plannedAtMs: number): Promise<Sent> {
    const body = Buffer.from(JSON.stringify({ documents: [{ id, text, source: "load" }] }));
    const reply = await this.#post(body, key).catch(() => undefined);
    const base = { key, text, plannedAtMs, repliedAtMs: nowMs() };
    if (reply === undefined) return { ...base, status: "none", retryAfter: null, token: null, verdict: null };
    const { status, retryAfter } = reply;
    if (status !== 202) return { ...base, status, retryAfter, token: null, verdict: null };
    const { token, receipts } = acceptReplySchema.parse(JSON.parse(reply.text));
    return { ...base, status, retryAfter, token, verdict: receipts[0]?.status ?? null };
  }

  close(): void {
    this.#agent.destroy();
  }

  #post(body: Buffer, key: string): Promise<{ status: number; retryAfter: string | null; text: string }> {
    return new Promise((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${key}`,
        "content-type": "application/json",
        "content-length": String(body.length),
      };
      const sent = request(
        this.#url,
        { method: "POST", agent: this.#agent, headers, timeout: REPLY_TIMEOUT_MS },
        (response) => {
          const parts: Buffer[] = [];
          response.on("data", (part: Buffer) => parts.push(part));
          response.once("error", reject);
          response.once("end", () =>
            resolve({
              status: response.statusCode ?? 0,
              retryAfter: response.headers["retry-after"] ?? null,
              text: Buffer.concat(parts).toString(),
            }),
          );
        },
      );
      sent.once("timeout", () => sent.destroy(new Error("no reply in time")));
      sent.once("error", reject);
      sent.end(body);
    });
  }
}
