import { beforeAll, describe, expect, it } from "vitest";
import { ok } from "../../src/lib/base/result.ts";
import { sha256Hex } from "../../src/lib/base/bytes.ts";
import { MINUTE_MS } from "../../src/lib/base/durations.ts";
import { registerSegment } from "../../src/lib/flows/sessions/register-segment.ts";
import { Semaphore } from "../../src/lib/base/semaphore.ts";
import { contextOf } from "../../src/workers/context.ts";
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
import { ask, makeKey, suiteEnv, suiteSql } from "./support/worker.ts";

const MODEL = {
  modelId: 1,
  fingerprint: "test:ones@1",
  modelName: "ones",
  dimensions: 2,
  maxInputTokens: 256,
  queryPrefix: "",
  documentPrefix: "",
  storeVariant: "vector",
} as const;

let key = "";
beforeAll(async () => {
  key = (await makeKey("registrar", ["ingest", "search"], { userId: "ann" })).key;
});

/** The message that announces the only segment of a session, from what lies in R2. */
async function announced(session: OpenSession) {
  const bucket = suiteEnv().BUCKET;
  const { objects } = await bucket.list({ prefix: `segments/registrar/ann/${session.sessionId}/` });
  const objectKey = objects[0]?.key ?? "";
  const bytes = new Uint8Array((await (await bucket.get(objectKey))?.arrayBuffer()) ?? new ArrayBuffer(0));
  const { segments } = await sessionState(session);
  const segment = segments[0];
  if (segment === undefined) throw new Error("there is no segment");
  return {
    version: 1,
    kind: "segment",
    tenant_id: "registrar",
    user_id: "ann",
    session_id: session.sessionId,
    source: "session",
    object_key: objectKey,
    sha256: await sha256Hex(bytes),
    size_bytes: bytes.length,
    first_seq: segment.first_seq,
    last_seq: segment.last_seq,
    event_count: segment.event_count,
    first_at_ms: frame(1).at_ms,
    last_at_ms: frame(3).at_ms,
    created_at_ms: Date.parse(segment.created_at),
    gate_version: "g",
    pii_version: "p",
    policy_version: 0,
    request_id: "test",
    sent_at_ms: 0,
  } as const;
}

describe("a segment that the log wrote", () => {
  it("is registered from R2, and its log says so", async () => {
    const session = await openSession(key, "ann");
    await sendFrames(session, lines([frame(1), frame(2), frame(3)]));
    await ask(`/v1/sessions/${session.sessionId}/seal?user_id=ann`, { method: "POST", key: session.token });
    const log = stubOf("registrar", session);
    for (let round = 0; round < 5; round += 1) await runAlarmAfter(MINUTE_MS, log);
    const message = await announced(session);
    const context = contextOf(suiteEnv());
    const registered = await registerSegment(
      {
        ...context,
        models: { active: async () => ok(MODEL), tokenCounter: async () => ok({ count: () => 1 }) },
        embedder: { ...context.embedder, embed: async (texts) => ok(texts.map(() => Float32Array.of(1, 0))) },
        embedRequests: new Semaphore(1),
        condense: undefined,
        noteFallback: () => undefined,
        noteRegistered: (name, firstSeq) => context.sessionLog(name).noteRegistered({ firstSeq }),
      },
      message,
      1,
    );
    expect(registered).toMatchObject({ ok: true, value: { outcome: "registered" } });
    expect((await sessionState(session)).segments).toMatchObject([{ first_seq: 1, last_seq: 3, registered: true }]);
    const listed = await ask("/v1/artifacts?kind=segment", { key });
    expect(listed.text).toContain(`segment-${message.sha256.slice(0, 24)}`);
    const rows = await suiteSql().transaction({ tenantId: "registrar", userId: "ann" }, [
      { text: "select sealed_seq, event_count from sessions where session_id = $1", params: [session.sessionId] },
    ]);
    expect(rows).toEqual({ ok: true, value: [[{ sealed_seq: "3", event_count: "3" }]] });
  });
});
