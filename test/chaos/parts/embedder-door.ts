import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Garbage, Spoil } from "../plan.ts";
import { openProxy, type Proxy } from "../../support/http-proxy.ts";

/** A door in front of the embedding server; what comes back through it is not always what the server said. */
export interface EmbedderDoor extends Proxy {
  /** What becomes of the next replies with vectors, the first one first. */
  readonly spoils: Spoil[];
  spoiltCount: number;
}

export async function openEmbedderDoor(targetUrl: string): Promise<EmbedderDoor> {
  const proxy = await openProxy(targetUrl, async ({ path }) => {
    const spoil = path === "/v1/embeddings" ? door.spoils.shift() : undefined;
    if (spoil === undefined) return { kind: "pass" };
    door.spoiltCount += 1;
    if (spoil.kind === "failing") return { kind: "answer", status: 500, body: "" };
    if (spoil.kind === "garbage")
      return { kind: "pass", altered: ({ isOk, body }) => (isOk ? spoilt(body, spoil.garbage) : body) };
    await sleep(spoil.delayMs);
    return { kind: "pass" };
  });
  const door: EmbedderDoor = { ...proxy, spoils: [], spoiltCount: 0 };
  return door;
}

const embeddingsSchema = z.looseObject({ data: z.array(z.object({ index: z.int(), embedding: z.string() })) });
type Data = z.infer<typeof embeddingsSchema>["data"];

/** A reply of status 200 that is wrong in one way. */
function spoilt(body: Buffer, garbage: Garbage): string | Buffer {
  if (garbage === "not_json") return "<html>502</html>";
  if (garbage === "cut_json") return body.subarray(0, body.length >> 1);
  const reply = embeddingsSchema.parse(JSON.parse(body.toString("utf8")));
  return JSON.stringify({ ...reply, data: spoiltData(reply.data, garbage) });
}

function spoiltData(data: Data, garbage: Exclude<Garbage, "not_json" | "cut_json">): Data {
  if (garbage === "too_few") return data.slice(1);
  if (garbage === "same_index") return data.map((each) => ({ ...each, index: 0 }));
  // Ten float32 of base64: the vector of a model that is not there.
  return data.map(({ index }) => ({ index, embedding: Buffer.alloc(40, 1).toString("base64") }));
}
