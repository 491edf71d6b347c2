import { createHash } from "node:crypto";
import type { SealMessage } from "../../../src/lib/contract/queue-message.ts";
import type { Frame } from "../../../src/lib/contract/session.ts";
import { encodePayload } from "../../../src/lib/session/frame-codec.ts";
import { segmentKey } from "../../../src/lib/session/session-keys.ts";
import {
  segmentFooter,
  segmentHeader,
  segmentRecordBytes,
  writeSegmentRecord,
} from "../../../src/lib/session/segment-writer.ts";
import type { World } from "./world.ts";

const BASE_AT_MS = Date.UTC(2023, 4, 8, 13, 56);

const TALK = [
  ["Caroline", "Hey Mel! Good to see you!"],
  ["Melanie", "I am swamped with the kids and the work at the gallery."],
  ["Caroline", "I went to a support group at the library yesterday and it was powerful."],
  ["Melanie", "I painted a sunrise over the lake last year. It hangs in the hall."],
  ["Caroline", "I want to study counselling next autumn in Boston."],
] as const;

/** Events `first` to `last` of a talk; the same seqs give the same frames. */
export function talkFrames(first: number, last: number): Frame[] {
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const seq = first + index;
    const [speaker, text] = TALK[seq % TALK.length] ?? TALK[0];
    return { seq, at_ms: BASE_AT_MS + seq * 60_000, role: "user", speaker, text: `${text} Part ${seq}.` };
  });
}

/** Writes a segment into R2 as the log does and returns what announces it. */
export async function putSegment(
  world: World,
  name: { readonly tenantId: string; readonly userId: string; readonly sessionId: string },
  frames: readonly Frame[],
  seqs: { readonly first: number; readonly last: number },
): Promise<SealMessage> {
  const createdAtMs = BASE_AT_MS + seqs.last * 60_000 + 5_000;
  const head = {
    tenant_id: name.tenantId,
    user_id: name.userId,
    session_id: name.sessionId,
    first_seq: seqs.first,
    created_at_ms: createdAtMs,
  };
  const records = frames.map((frame) => {
    const payload = encodePayload(frame);
    const record = new Uint8Array(segmentRecordBytes(payload.length));
    writeSegmentRecord(record, 0, payload);
    return record;
  });
  const bytes = Buffer.concat([segmentHeader(head), ...records, segmentFooter(records.length)]);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const key = segmentKey(name, { firstSeq: seqs.first, createdAtMs, eventCount: frames.length, sha256 });
  await world.bucket.put(key, bytes);
  const times = frames.map((frame) => frame.at_ms);
  return {
    version: 1,
    kind: "segment",
    tenant_id: name.tenantId,
    user_id: name.userId,
    session_id: name.sessionId,
    source: "session",
    object_key: key,
    sha256,
    size_bytes: bytes.length,
    first_seq: seqs.first,
    last_seq: seqs.last,
    event_count: frames.length,
    first_at_ms: times.length === 0 ? null : Math.min(...times),
    last_at_ms: times.length === 0 ? null : Math.max(...times),
    created_at_ms: createdAtMs,
    gate_version: "g1",
    pii_version: "p1",
    policy_version: 0,
    request_id: "test",
    sent_at_ms: createdAtMs,
  };
}
