/** Counts the events of a session again, by what the service gives to anyone who asks. */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { ApiClient } from "../../src/cli/api-client.ts";
import { sessionReplySchema, type SessionReply } from "../../src/lib/contract/session.ts";
import { sessionBatchTag } from "../../src/lib/session/batch-tag.ts";
import { decodePayload } from "../../src/lib/session/frame-codec.ts";
import { SegmentReader } from "../../src/lib/session/segment-reader.ts";

const POLL_MS = 200;
/** A crowd's events may wait behind each other for minutes: they are late then, not lost. */
const PATIENCE_MS = 900_000;
const PAGE_ROWS = 500;
const FRAME_LIMITS = { frameBytesMax: 4 * 1024 * 1024, framesMax: 1, depthMax: 8, valuesMax: 10_000 };
const SEGMENT_LIMITS = { headBytesMax: 4 * 1024, recordBytesMax: 4 * 1024 * 1024 };
const receiptsSchema = z.looseObject({
  receipts: z.array(z.looseObject({ id: z.string(), document_id: z.string(), outcome: z.string().nullable() })),
});

export interface SessionCount {
  /** Events without exactly one place in the sealed segments, or without a receipt that says how they ended. */
  readonly lostCount: number;
  /** Events with more than one of either. */
  readonly duplicatedCount: number;
  readonly outcomes: Readonly<Record<string, number>>;
}

export interface CountedSession {
  readonly tenantId: string;
  readonly userId: string;
  readonly sessionId: string;
  readonly writeToken: string;
  /** Seqs of the events that were accepted, with their texts. */
  readonly texts: ReadonlyMap<number, string>;
  readonly eventCount: number;
}

/** Seals the session, waits for its segments, and counts. */
export async function recountSession(
  target: { readonly url: string; readonly key: string },
  session: CountedSession,
): Promise<SessionCount> {
  const writer = new ApiClient(target.url, session.writeToken);
  const path = `/v1/sessions/${session.sessionId}`;
  await writer.response({ method: "POST", path: `${path}/seal` });
  const state = await until(writer, path, ({ seqs, segments }) => {
    const isWhole = seqs.embedded === session.eventCount && seqs.sealed === session.eventCount;
    return isWhole && segments.length > 0 && segments.every(({ registered }) => registered);
  });
  const api = new ApiClient(target.url, target.key);
  const inSegments = await segmentTimes(api, state, session);
  const receipts = await receiptTimes(api, session);
  let [lostCount, duplicatedCount] = [0, 0];
  for (let seq = 1; seq <= session.eventCount; seq += 1) {
    const expectedInSegments = session.texts.has(seq) ? 1 : 0;
    const times = [(inSegments.get(seq) ?? 0) - expectedInSegments, (receipts.times.get(seq) ?? 0) - 1];
    if (times.some((difference) => difference < 0)) lostCount += 1;
    if (times.some((difference) => difference > 0)) duplicatedCount += 1;
  }
  return { lostCount, duplicatedCount, outcomes: receipts.outcomes };
}

async function until(api: ApiClient, path: string, holds: (state: SessionReply) => boolean): Promise<SessionReply> {
  const endAtMs = Date.now() + PATIENCE_MS;
  for (;;) {
    const state = await api.json(sessionReplySchema, { path });
    if (holds(state)) return state;
    if (Date.now() > endAtMs) throw new Error(`the session did not come to its end: ${JSON.stringify(state.seqs)}`);
    await sleep(POLL_MS);
  }
}

/** How often each seq stands in the segments, with the text that was sent. */
async function segmentTimes(
  api: ApiClient,
  state: SessionReply,
  session: CountedSession,
): Promise<Map<number, number>> {
  const times = new Map<number, number>();
  for (const { artifact_id: id } of state.segments) {
    const response = await api.response({ path: `/v1/artifacts/${encodeURIComponent(id)}/content` });
    const reader = new SegmentReader(SEGMENT_LIMITS);
    const payloads = reader.push(new Uint8Array(await response.arrayBuffer()));
    if (!payloads.ok || reader.end().state !== "sealed") throw new Error(`segment ${id} cannot be read`);
    for (const payload of payloads.value) {
      const decoded = decodePayload(payload, FRAME_LIMITS);
      if (!decoded.ok) throw new Error(`a frame of segment ${id} cannot be read`);
      const { seq, text } = decoded.value.frame;
      // Personal data is redacted on its way, so that a few texts are not what was sent; their seqs still count.
      if (text === "" || !session.texts.has(seq)) throw new Error(`seq ${seq} of segment ${id} was never accepted`);
      times.set(seq, (times.get(seq) ?? 0) + 1);
    }
  }
  return times;
}

async function receiptTimes(
  api: ApiClient,
  session: CountedSession,
): Promise<{ readonly times: ReadonlyMap<number, number>; readonly outcomes: Readonly<Record<string, number>> }> {
  const times = new Map<number, number>();
  const outcomes: Record<string, number> = {};
  const event = new RegExp(`^${session.sessionId}/(\\d+)$`);
  for (let after = ""; ;) {
    const query = new URLSearchParams({
      batch_tag: sessionBatchTag(session),
      limit: String(PAGE_ROWS),
      ...(after === "" ? {} : { after }),
    });
    const { receipts } = await api.json(receiptsSchema, { path: `/v1/receipts?${query.toString()}` });
    for (const { document_id: documentId, outcome } of receipts) {
      const seq = Number(event.exec(documentId)?.[1]);
      if (Number.isNaN(seq) || outcome === null) continue;
      times.set(seq, (times.get(seq) ?? 0) + 1);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
    if (receipts.length < PAGE_ROWS) return { times, outcomes };
    after = receipts.at(-1)?.id ?? "";
  }
}
