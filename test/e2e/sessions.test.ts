import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { framesReplySchema, sessionReplySchema, type Frame, type FramesReply } from "../../src/lib/contract/session.ts";
import { searchReplySchema, type SearchReply } from "../../src/lib/contract/search.ts";
import { startSystem, type System } from "./support/system.ts";

const STARTED_MS = Date.UTC(2026, 9, 1);

let system: System;
let key = "";
beforeAll(async () => {
  system = await startSystem();
  key = await system.newKey("talkers", { scopes: ["ingest", "search"] });
}, 120_000);
afterAll(() => system?.close());

interface CallInit {
  readonly method?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

async function call<T>(schema: z.ZodType<T>, path: string, init: CallInit): Promise<T> {
  const headers = { authorization: `Bearer ${init.token ?? key}`, "content-type": "application/json", ...init.headers };
  const { method = "GET", body: sent = null } = init;
  const response = await fetch(`${system.url}${path}`, { method, headers, body: sent });
  const body: unknown = await response.json();
  if (!response.ok) throw new Error(`${response.status} ${JSON.stringify(body)}`);
  return schema.parse(body);
}

const openedSchema = z.object({ session_id: z.string(), write_token: z.string() });

function open(userId: string): Promise<z.infer<typeof openedSchema>> {
  return call(openedSchema, "/v1/sessions", { method: "POST", body: JSON.stringify({ user_id: userId }) });
}

const frame = (seq: number, text: string): Frame => ({
  seq,
  at_ms: STARTED_MS + seq * 4_000,
  role: "user",
  speaker: "Ann",
  text,
});

function send(session: z.infer<typeof openedSchema>, frames: readonly Frame[]): Promise<FramesReply> {
  return call(framesReplySchema, `/v1/sessions/${session.session_id}/frames`, {
    method: "POST",
    token: session.write_token,
    headers: { "content-type": "application/x-ndjson" },
    body: frames.map((each) => JSON.stringify(each)).join("\n"),
  });
}

function find(userId: string, query: string, token: string | null): Promise<SearchReply> {
  const body = { query, user_id: userId, min_token: token, wait_ms: 30_000 };
  return call(searchReplySchema, "/v1/search", { method: "POST", body: JSON.stringify(body) });
}

async function until(
  session: z.infer<typeof openedSchema>,
  isSo: (state: z.infer<typeof sessionReplySchema>) => boolean,
) {
  for (;;) {
    const state = await call(sessionReplySchema, `/v1/sessions/${session.session_id}`, { token: session.write_token });
    if (isSo(state)) return state;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

describe("a live conversation", () => {
  it("can be searched by its user with the token of its frames, and by nobody else", async () => {
    const session = await open("ann");
    const reply = await send(session, [
      frame(1, "My sister Ada lives in Graz and keeps bees on the roof."),
      frame(2, "She sells the honey at the market every Saturday."),
    ]);
    expect(reply.ack).toBe(2);
    const found = await find("ann", "who keeps bees on a roof", reply.token);
    expect(found.caught_up).toBe(true);
    expect(found.hits[0]).toMatchObject({ document_id: `${session.session_id}/1`, tier: "event" });
    expect((await find("bob", "who keeps bees on a roof", reply.token)).hits).toEqual([]);
    expect((await until(session, ({ seqs }) => seqs.embedded === 2)).seqs).toMatchObject({
      received: 2,
      durable: 2,
      queued: 2,
    });
  });

  it("goes on over a restart of the Worker, and is sealed into a registered segment", async () => {
    const session = await open("ann");
    await send(session, [frame(1, "The boat is in the harbour of Trieste.")]);
    await system.restartWorker();
    const reply = await send(session, [
      frame(1, "The boat is in the harbour of Trieste."),
      frame(2, "It needs a new sail."),
    ]);
    expect(reply.frames.map(({ status }) => status)).toEqual(["repeated", "appended"]);
    expect((await find("ann", "what does the boat need", reply.token)).caught_up).toBe(true);
    await call(z.unknown(), `/v1/sessions/${session.session_id}/seal`, { method: "POST", token: session.write_token });
    const state = await until(session, ({ segments }) => segments[0]?.registered === true);
    expect(state).toMatchObject({ state: "open", seqs: { durable: 2, sealed: 2 } });
    expect(state.segments).toMatchObject([{ first_seq: 1, last_seq: 2, event_count: 2 }]);
  });
});
