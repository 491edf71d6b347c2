import { setTimeout as sleep } from "node:timers/promises";
import { ErrorReply, createClient } from "@redis/client";

/** Who writes into the stream, and looks at it. */
export type Producer = Awaited<ReturnType<typeof openProducer>>;

const RETRY_EVERY_MS = 50;

// oxlint-disable-next-line typescript/explicit-function-return-type -- the library's client type is made of what it is given
export async function openProducer(url: string) {
  const client = createClient({ url, socket: { reconnectStrategy: () => RETRY_EVERY_MS }, disableOfflineQueue: true });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

export function documentMessage(
  id: string,
  text = `The text of ${id}, which says enough to be kept as a document.`,
): string {
  return JSON.stringify({ id, text });
}

/** Adds the entry under an id of the caller's: repeated through every outage, there once. */
export async function addEntry(
  producer: Producer,
  stream: string,
  id: string,
  message: string | Buffer,
): Promise<void> {
  for (;;) {
    try {
      await producer.xAdd(stream, id, { message });
      return;
    } catch (error) {
      // The reply was lost, not the entry.
      if (error instanceof ErrorReply && error.message.includes("equal or smaller")) return;
      await sleep(RETRY_EVERY_MS);
    }
  }
}

/** Nothing undelivered and nothing pending in the group. */
export async function untilDone(producer: Producer, stream: string, timeoutMs = 30_000): Promise<void> {
  const endAtMs = Date.now() + timeoutMs;
  for (let state = "unknown"; ;) {
    const groups = await producer.xInfoGroups(stream).catch(() => []);
    state = JSON.stringify(groups);
    if (groups[0]?.pending === 0 && groups[0].lag === 0) return;
    if (Date.now() > endAtMs) throw new Error(`the group is not done: ${state}`);
    await sleep(RETRY_EVERY_MS);
  }
}
