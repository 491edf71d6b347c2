import type { Queue, R2Bucket } from "@cloudflare/workers-types";
import type { Log } from "../../base/log.ts";
import type { SealMessage } from "../../contract/queue-message.ts";
import type { LogSettings } from "../../session/log-schedule.ts";
import type { LogStore } from "../../session/log-store.ts";
import type { SegmentRows } from "../../session/segment-rows.ts";
import type { SessionGateApi } from "../../session/session-gate-api.ts";
import type { StoreContext } from "../ingest/store-request.ts";

/** What the work of a log uses, inside its Durable Object. */
export interface LogContext extends StoreContext {
  readonly bucket: R2Bucket;
  readonly sealQueue: Pick<Queue<SealMessage>, "send">;
  readonly gate: Pick<SessionGateApi, "renew" | "release">;
  readonly store: LogStore;
  readonly segments: SegmentRows;
  readonly settings: LogSettings;
  /** Bytes of one part of a segment: what sealing holds in memory. */
  readonly partBytes: number;
  /** Does statements as one commit. */
  readonly commit: (work: () => void) => void;
  readonly log: Log;
  readonly metrics: {
    readonly flushed: (outcome: "sent" | "failed") => void;
    readonly sealed: (outcome: "stored" | "empty" | "failed") => void;
  };
}

/** Whether the step was done. What was not is done again later; why is in the log. */
export type Done = boolean;
