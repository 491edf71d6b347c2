import { createExecutionContext, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { framesReplySchema, type FramesReply } from "../../src/lib/contract/session.ts";
import { encodeFrame } from "../../src/lib/session/frame-codec.ts";
import worker from "../../src/workers/index.ts";
import {
  frame,
  lines,
  openSession,
  runAlarmAfter,
  sendFrames,
  sessionState,
  stubOf,
  type OpenSession,
} from "./support/session.ts";
import { ask, keysContext, makeKey, suiteEnv } from "./support/worker.ts";
import { revokeKey } from "../../src/lib/flows/keys/manage-keys.ts";

let key = "";
beforeAll(async () => {
  key = (await makeKey("live", ["ingest", "search"])).key;
});

/** A WebSocket of a session, and the answers that came over it. */
async function connect(session: OpenSession, headers: Record<string, string>) {
  const url = `https://jeeves.test/v1/sessions/${session.sessionId}/live?user_id=${session.userId}`;
  const request = new Request<unknown, IncomingRequestCfProperties>(url, {
    headers: { upgrade: "websocket", ...headers },
  });
  const response = await worker.fetch(request, suiteEnv(), createExecutionContext());
  const socket = response.webSocket;
  if (socket === null) throw new Error(await response.text());
  socket.accept();
  const answers: unknown[] = [];
  const closed: number[] = [];
  socket.addEventListener("message", ({ data }) => void answers.push(JSON.parse(String(data))));
  socket.addEventListener("close", ({ code }) => void closed.push(code));
  const replies = async (count: number): Promise<readonly FramesReply[]> => {
    await vi.waitFor(() => expect(answers).toHaveLength(count), { timeout: 10_000 });
    return answers.map((answer) => framesReplySchema.parse(answer));
  };
  return { socket, response, answers, closed, replies };
}

const byToken = ({ token }: OpenSession) => ({ authorization: `Bearer ${token}` });

describe("a WebSocket of a session", () => {
  it("takes frames and lines, and answers message by message, in order", async () => {
    const session = await openSession(key, "ann");
    const { socket, replies } = await connect(session, byToken(session));
    for (let seq = 1; seq <= 20; seq += 1) socket.send(seq % 2 === 0 ? encodeFrame(frame(seq)) : lines([frame(seq)]));
    expect((await replies(20)).map(({ ack }) => ack)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect((await sessionState(session)).seqs.durable).toBe(20);
  });

  it("takes its token from a subprotocol, where headers cannot be set", async () => {
    const session = await openSession(key, "ann");
    const protocols = `jeeves.v1, jeeves.token.${session.token}`;
    const { socket, response, replies } = await connect(session, { "sec-websocket-protocol": protocols });
    expect(response.headers.get("sec-websocket-protocol")).toBe("jeeves.v1");
    socket.send(lines([frame(1)]));
    expect(await replies(1)).toMatchObject([{ ack: 1 }]);
  });

  it("outlives the eviction of its object", async () => {
    const session = await openSession(key, "ann");
    const { socket, replies } = await connect(session, byToken(session));
    socket.send(lines([frame(1)]));
    await replies(1);
    await evictDurableObject(stubOf("live", session));
    socket.send(lines([frame(2)]));
    expect((await replies(2))[1]).toMatchObject({ ack: 2, frames: [{ seq: 2, status: "appended" }] });
  });

  it("answers what is no frame, and goes on", async () => {
    const session = await openSession(key, "ann");
    const { socket, replies } = await connect(session, byToken(session));
    socket.send("this is no JSON");
    socket.send(lines([frame(1)]));
    expect(await replies(2)).toMatchObject([{ ack: 0, frames: [{ seq: null, code: "frame_malformed" }] }, { ack: 1 }]);
  });

  it("closes when its session is erased, or its key is revoked", async () => {
    const own = await makeKey("live", ["ingest"]);
    const session = await openSession(own.key, "ann");
    const { socket, answers, closed } = await connect(session, byToken(session));
    await revokeKey(keysContext(), "live", own.summary.key_id);
    await evictDurableObject(stubOf("live", session));
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 11_000 });
    socket.send(lines([frame(1)]));
    await vi.waitFor(() => expect(closed).toEqual([1008]), { timeout: 5_000 }).finally(() => vi.useRealTimers());
    expect(answers).toEqual([{ code: "key_revoked" }]);

    const other = await openSession(key, "ann");
    const erased = await connect(other, byToken(other));
    await runInDurableObject(stubOf("live", other), (log) => log.erase());
    await vi.waitFor(() => expect(erased.closed).toEqual([4404]));
    expect((await sendFrames(other, lines([frame(1)]))).status).toBe(404);
  });

  it("needs a session that is there, and a client that asks for one", async () => {
    const session = await openSession(key, "ann");
    const path = `/v1/sessions/${session.sessionId}/live?user_id=ann`;
    expect((await ask(path, { key: session.token })).status).toBe(426);
    const nowhere = await ask("/v1/sessions/nowhere/live", { key, headers: { upgrade: "websocket" } });
    expect(nowhere).toMatchObject({ status: 404, body: { code: "session_unknown" } });
  });
});

describe("an open session", () => {
  it("takes many requests at a time, each seq once", async () => {
    const session = await openSession(key, "ann");
    const all = Array.from({ length: 30 }, (_, index) => frame(index + 1));
    const replies = await Promise.all(Array.from({ length: 8 }, () => sendFrames(session, lines(all))));
    expect(replies.map(({ json }) => json.ack)).toEqual(Array.from({ length: 8 }, () => 30));
    const appended = replies.flatMap(({ json }) => json.frames.filter(({ status }) => status === "appended"));
    expect(appended.map(({ seq }) => seq).toSorted((a, b) => (a ?? 0) - (b ?? 0))).toEqual(all.map(({ seq }) => seq));
  });

  it("keeps up with 500 events a second, and passes every one on", async () => {
    const session = await openSession(key, "burst");
    const startedMs = Date.now();
    for (let first = 1; first <= 500; first += 50) {
      const batch = Array.from({ length: 50 }, (_, index) => frame(first + index));
      expect((await sendFrames(session, lines(batch))).json.ack).toBe(first + 49);
    }
    const tookMs = Date.now() - startedMs;
    await runAlarmAfter(1_100, stubOf("live", session));
    await vi.waitFor(async () => expect((await sessionState(session)).seqs.queued).toBe(500), { timeout: 10_000 });
    expect(tookMs).toBeLessThan(5_000);
  });

  it("has an alarm again after an eviction, though the alarm was lost", async () => {
    const session = await openSession(key, "ann");
    await sendFrames(session, lines([frame(1)]));
    await runInDurableObject(stubOf("live", session), (_, state) => state.storage.deleteAlarm());
    await evictDurableObject(stubOf("live", session));
    const alarmAtMs = await runInDurableObject(stubOf("live", session), (_, state) => state.storage.getAlarm());
    expect(alarmAtMs).not.toBeNull();
    await vi.waitFor(async () => expect((await sessionState(session)).seqs.queued).toBe(1), { timeout: 10_000 });
  });

  it("is sealed on demand, and its segment is announced", async () => {
    const session = await openSession(key, "ann");
    await sendFrames(session, lines([frame(1), frame(2)]));
    const path = `/v1/sessions/${session.sessionId}/seal?user_id=ann`;
    expect((await ask(path, { method: "POST", key: session.token })).status).toBe(202);
    await vi.waitFor(async () => expect((await sessionState(session)).segments).toHaveLength(1), { timeout: 10_000 });
    expect(await sessionState(session)).toMatchObject({
      state: "open",
      seqs: { durable: 2, queued: 2, sealed: 2 },
      segments: [
        { artifact_id: expect.stringMatching(/^segment-[0-9a-f]{24}$/), first_seq: 1, last_seq: 2, event_count: 2 },
      ],
    });
  });
});

describe("a session that nobody opened", () => {
  it("leaves nothing behind, whatever is asked of it", async () => {
    const stub = stubOf("live", { sessionId: "nowhere", userId: "ann", token: "" });
    await stub.noteRegistered({ firstSeq: 1 });
    await stub.noteEmbedded({ seq: 1 });
    expect(await stub.eraseEvent({ seq: 1 })).toEqual({ erased: false });
    expect(await stub.seal()).toEqual({ ok: false, code: "session_unknown" });
    expect(await stub.describe()).toBeNull();
    expect(await stub.erase()).toEqual({ lastSeq: 0 });
    const tables = await runInDurableObject(stub, (_, { storage }) =>
      storage.sql.exec("select name from sqlite_master where name not like '\\_cf\\_%' escape '\\'").toArray(),
    );
    expect(tables).toEqual([]);
  });
});
