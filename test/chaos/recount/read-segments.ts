import { ApiClient } from "../../../src/cli/api-client.ts";
import { sessionReplySchema } from "../../../src/lib/contract/session.ts";
import { decodePayload } from "../../../src/lib/session/frame-codec.ts";
import { SegmentReader } from "../../../src/lib/session/segment-reader.ts";
import { expectOk } from "../../support/database.ts";
import type { SegmentEvent } from "../seen.ts";
import type { Talked } from "../workload/talker.ts";

const FRAME_LIMITS = { frameBytesMax: 4 * 1024 * 1024, framesMax: 1, depthMax: 8, valuesMax: 10_000 };
const SEGMENT_LIMITS = { headBytesMax: 4 * 1024, recordBytesMax: 4 * 1024 * 1024 };

/** Each event of each segment of a session, downloaded and decoded; the CRC of every record is checked on the way. */
export async function readSegments(url: string, key: string, { session, writeToken }: Talked): Promise<SegmentEvent[]> {
  const writer = new ApiClient(url, writeToken);
  const { segments } = await writer.json(sessionReplySchema, { path: `/v1/sessions/${session.sessionId}` });
  const api = new ApiClient(url, key);
  const events: SegmentEvent[] = [];
  for (const { artifact_id: id } of segments) {
    const response = await api.response({ path: `/v1/artifacts/${encodeURIComponent(id)}/content` });
    const reader = new SegmentReader(SEGMENT_LIMITS);
    const payloads = expectOk(reader.push(new Uint8Array(await response.arrayBuffer())));
    if (reader.end().state !== "sealed") throw new Error(`segment ${id} has no end`);
    for (const payload of payloads) {
      const { seq, text } = expectOk(decodePayload(payload, FRAME_LIMITS)).frame;
      events.push({ tenantId: session.tenantId, sessionId: session.sessionId, seq, text });
    }
  }
  return events;
}
