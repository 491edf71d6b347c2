import type { Queue, R2Bucket } from "@cloudflare/workers-types";
import type { Clock } from "../../base/clock.ts";
import type { Semaphore } from "../../base/semaphore.ts";
import type { EmbedMessage } from "../../contract/queue-message.ts";
import type { Sql } from "../../db/sql.ts";
import type { Embedder } from "../../embed/embedder.ts";
import type { RequestBudget } from "../../embed/request-batches.ts";
import type { SessionIdentity } from "../../session/session-log-api.ts";
import type { ChatError, Condense } from "../../summarise/chat-client.ts";
import type { ModelSource } from "../models/model-source.ts";

/** What registering a segment uses. Constructed by the composition root only. */
export interface SealContext {
  readonly sql: Sql;
  readonly bucket: R2Bucket;
  readonly embedQueue: Pick<Queue<EmbedMessage>, "send" | "sendBatch">;
  readonly clock: Clock;
  readonly embedder: Embedder;
  readonly models: ModelSource;
  readonly requestBudget: RequestBudget;
  readonly embedRequests: Semaphore;
  /** Writes summaries in other words, where a server for that is configured. */
  readonly condense: Condense | undefined;
  /** The endpoint failed and the extractive summary took its place. */
  readonly noteFallback: (code: ChatError["code"]) => void;
  /** Tells the log of the session that the segment is an artifact. Rejects where the log cannot be reached. */
  readonly noteRegistered: (session: SessionIdentity, firstSeq: number) => Promise<void>;
}
