import { gzipSync, zstdCompressSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { encodeFrame } from "../../src/lib/session/frame-codec.ts";
import { readWalRange } from "../../src/lib/wal/read-wal-range.ts";
import { walKey } from "../../src/lib/wal/wal-key.ts";
import { WAL_LIMITS } from "../../src/lib/wal/wal-limits.ts";
import { frame, lines, openSession, runAlarmAfter, sendFrames, sessionState, stubOf } from "./support/session.ts";
import { ask, makeKey, suiteEnv } from "./support/worker.ts";

let key = "";
beforeAll(async () => {
  key = (await makeKey("stream", ["ingest", "search"])).key;
});

const bytesOf = (parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

async function walDocuments(token: string | null) {
  const range = await readWalRange(suiteEnv().BUCKET, walKey("stream", token ?? ""), 0, WAL_LIMITS);
  if (!range.ok) throw new Error(range.error.code);
  return range.value;
}

describe("frames of a session", () => {
  it("are acked when they are durable, and lie in the WAL object of their token after the alarm", async () => {
    const session = await openSession(key, "ann");
    const reply = await sendFrames(session, lines([frame(1), frame(2, { role: "assistant", speaker: "Jeeves" })]));
    expect(reply.status).toBe(200);
    expect(reply.json).toMatchObject({
      ack: 2,
      frames: [
        { seq: 1, status: "appended" },
        { seq: 2, status: "appended" },
      ],
    });
    const { token } = reply.json;
    await runAlarmAfter(1_100, stubOf("stream", session));
    const { head, documents } = await walDocuments(token);
    expect(head).toMatchObject({
      wal_id: token,
      origin: "session",
      batch_tag: expect.stringMatching(/^session-[0-9a-f]{24}$/),
    });
    expect(documents).toMatchObject([
      { document_id: `${session.sessionId}/1`, user_id: "ann", tier: "event", source: "session", verdict: "accepted" },
      {
        document_id: `${session.sessionId}/2`,
        metadata: { session_id: session.sessionId, seq: 2, role: "assistant", speaker: "Jeeves" },
        context: expect.stringMatching(/^user: /),
      },
    ]);
    expect(documents[0]?.context).toBeUndefined();
    expect((await sessionState(session)).seqs).toMatchObject({
      received: 2,
      durable: 2,
      queued: 2,
      embedded: 0,
      sealed: 0,
    });
  });

  it.each([
    ["msgpack", (frames: Uint8Array<ArrayBuffer>) => frames, {}],
    ["gzip", (frames: Uint8Array<ArrayBuffer>) => gzipSync(frames), { "content-encoding": "gzip" }],
    ["zstd", (frames: Uint8Array<ArrayBuffer>) => zstdCompressSync(frames), { "content-encoding": "zstd" }],
  ])("may come as %s", async (_name, pack, headers) => {
    const session = await openSession(key, "ann");
    const body = pack(bytesOf([encodeFrame(frame(1)), encodeFrame(frame(2))]));
    const reply = await sendFrames(session, body, { "content-type": "application/vnd.jeeves.frames", ...headers });
    expect(reply.json).toMatchObject({ ack: 2 });
  });

  it("are harmless when they come again, and are named when they leave a gap or say something else", async () => {
    const session = await openSession(key, "ann");
    await sendFrames(session, lines([frame(1), frame(2)]));
    const again = await sendFrames(
      session,
      lines([frame(1), frame(2, { text: "Something else was said." }), frame(9), frame(3), frame(3)]),
    );
    expect(again.json).toMatchObject({
      ack: 3,
      frames: [
        { seq: 1, status: "repeated" },
        { seq: 2, status: "refused", code: "seq_conflict", expected_seq: 3 },
        { seq: 9, status: "refused", code: "seq_gap", expected_seq: 3 },
        { seq: 3, status: "appended" },
        { seq: 3, status: "repeated" },
      ],
    });
    expect(await sessionState(session)).toMatchObject({ seqs: { received: 9, durable: 3 }, refused_count: 2 });
  });

  it("that are broken, too large or of somebody else are refused by themselves", async () => {
    const session = await openSession(key, "ann");
    const body = bytesOf([
      encodeFrame(frame(1)),
      new Uint8Array([0, 0, 0, 2, 0xc1, 0]),
      encodeFrame(frame(2, { text: "x".repeat(300_000) })),
      encodeFrame(frame(2, { metadata: { user_id: "bob" } })),
      encodeFrame(frame(2, { metadata: { user_id: "ann" } })),
      new Uint8Array([0, 0, 1, 0, 7]),
    ]);
    const reply = await sendFrames(session, body, { "content-type": "application/vnd.jeeves.frames" });
    expect(reply.json.frames.map(({ status, code }) => code ?? status)).toEqual([
      "appended",
      "frame_malformed",
      "frame_too_large",
      "user_mismatch",
      "appended",
      "frame_truncated",
    ]);
    expect(reply.json.ack).toBe(2);
  });

  it("that the gate keeps back have their seq and leave no text behind", async () => {
    const session = await openSession(key, "ann");
    const reply = await sendFrames(session, lines([frame(1, { text: "  " }), frame(2)]));
    expect(reply.json).toMatchObject({
      ack: 2,
      frames: [
        { seq: 1, status: "rejected", reasons: [{}] },
        { seq: 2, status: "appended" },
      ],
    });
    const again = await sendFrames(session, lines([frame(1, { text: "  " })]));
    expect(again.json).toMatchObject({
      frames: [{ seq: 1, status: "repeated", reasons: [{}] }],
      token: reply.json.token,
    });
  });

  it("need a session that is there, and one that is open", async () => {
    const nowhere = { sessionId: "never-opened", userId: "ann", token: key };
    expect(await sendFrames(nowhere, lines([frame(1)]))).toMatchObject({
      status: 404,
      json: { code: "session_unknown" },
    });
    const session = await openSession(key, "ann");
    const foreign = (await makeKey("other-tenant", ["ingest"])).key;
    expect((await sendFrames({ ...session, token: foreign }, lines([frame(1)]))).status).toBe(404);
    expect((await ask(`/v1/sessions/${session.sessionId}?user_id=ann`, { key: foreign })).status).toBe(404);
  });
});
