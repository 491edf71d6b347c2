import { readFileSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { z } from "zod";
import { present } from "../../src/base/assert.ts";
import type { ClientOrder, ClientReply } from "./client-messages.ts";
import { embedAll } from "./embed-client.ts";

/** Worker thread: bulk clients. */
const port = present(parentPort ?? undefined, "clients run in a worker thread");
const sets = new Map<string, readonly string[]>();

function textsOf(file: string): readonly string[] {
  const known = sets.get(file);
  if (known !== undefined) return known;
  const lines = readFileSync(file, "utf8").split("\n");
  const texts = lines.filter((line) => line !== "").map((line) => z.string().parse(JSON.parse(line)));
  sets.set(file, texts);
  return texts;
}

port.on("message", async ({ target, file, plan, counter }: ClientOrder) => {
  let reply: ClientReply;
  try {
    const take = (count: number): number => Atomics.add(counter, 0, count);
    const { firstVector } = await embedAll(target, textsOf(file), plan, { take });
    reply = { kind: "done", firstVector };
  } catch (cause) {
    reply = { kind: "failed", detail: cause instanceof Error ? cause.message : "the request failed" };
  }
  port.postMessage(reply);
});
