/** The two ways of sending: at fixed moments whatever the service does, and as fast as a bulk client is let. */
import { setTimeout as sleep } from "node:timers/promises";
import type { LoadSource } from "./load-source.ts";
import { nowMs, type DocumentSender, type Sent } from "./send-document.ts";

interface Sending {
  readonly sender: Pick<DocumentSender, "send">;
  readonly source: Pick<LoadSource, "next">;
  readonly onSent: (sent: Sent) => void;
}

/** Open loop: each document goes out at its moment, and nothing waits for a reply. Ends when each has its own. */
export async function sendAt(
  { sender, source, onSent }: Sending,
  arrivalsMs: readonly number[],
  startAtMs: number,
): Promise<void> {
  const underWay: Promise<void>[] = [];
  for (const arrivalMs of arrivalsMs) {
    const plannedAtMs = startAtMs + arrivalMs;
    // A late sender does not wait: what is overdue goes out at once, and its latency has the delay in it.
    if (plannedAtMs - nowMs() > 1) await sleep(plannedAtMs - nowMs());
    underWay.push(sender.send(source.next(), plannedAtMs).then(onSent));
  }
  await Promise.all(underWay);
}

export interface Bulk {
  readonly clients: number;
  readonly documentCount: number;
}

/** A refusal in a row more often than this is no client's patience. */
const ATTEMPTS_MAX = 1_000;

/** Closed loop: each client sends its next document when it has the reply to the one before, and a refused one again after Retry-After. */
export async function sendBulk({ sender, source, onSent }: Sending, { clients, documentCount }: Bulk): Promise<void> {
  let left = documentCount;
  const client = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const document = source.next();
      for (let attempt = 1; ; attempt += 1) {
        const sent = await sender.send(document, nowMs());
        onSent(sent);
        if (sent.status === 202 || attempt >= ATTEMPTS_MAX) break;
        await sleep(Math.max(0.1, Number(sent.retryAfter ?? 1)) * 1000);
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
}
