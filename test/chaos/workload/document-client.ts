import { setTimeout as sleep } from "node:timers/promises";
import { ApiClient } from "../../../src/cli/api-client.ts";
import { acceptReplySchema, type AcceptReply } from "../../../src/lib/contract/accept-reply.ts";
import type { SeededRandom } from "../../support/seeded-random.ts";
import type { Owner, ToldDocument, ToldRequest } from "../told.ts";
import { type Load, untilAnswered } from "./load.ts";
import type { TextSource } from "./text-source.ts";

export interface DocumentClientOptions {
  readonly url: string;
  readonly key: string;
  readonly owner: Owner;
  /** Makes its ids its own. */
  readonly name: string;
  readonly texts: TextSource;
  readonly random: SeededRandom;
}

const DOCUMENTS_MAX = 5;
const PAUSE_MS = { min: 200, max: 1_000 };
const REQUESTS_PER_BATCH = 8;
/** Share of requests that are sent once more after they were answered, as a client does whose reply was lost. */
const REPEAT_SHARE = 0.25;

/** Sends requests of some documents, each under a key of its own, until the load is over. */
export async function runDocumentClient(load: Load, options: DocumentClientOptions): Promise<void> {
  const { name, random } = options;
  const api = new ApiClient(options.url, options.key);
  for (let count = 0; !load.isOver; count += 1) {
    const request: ToldRequest = {
      tenantId: options.owner.tenantId,
      key: `${name}-${count}`,
      batchTag: `${name}-batch-${Math.floor(count / REQUESTS_PER_BATCH)}`,
      documents: documentsOf(options, count),
      replies: [],
    };
    const isRepeated = random.next() < REPEAT_SHARE;
    for (let time = 0; time < (isRepeated ? 2 : 1); time += 1) {
      const reply = await untilAnswered(load, request.key, () => send(api, request));
      if (reply !== undefined) request.replies.push(reply);
    }
    if (isRepeated) load.repeatCount += 1;
    if (request.replies.length > 0) load.told.requests.push(request);
    await sleep(random.between(PAUSE_MS.min, PAUSE_MS.max));
  }
}

function documentsOf({ owner, name, texts, random }: DocumentClientOptions, count: number): readonly ToldDocument[] {
  return Array.from({ length: random.between(1, DOCUMENTS_MAX) }, (_, index) => ({
    ...owner,
    documentId: `${name}-${count}-${index}`,
    text: texts.next(),
  }));
}

function send(api: ApiClient, { key, batchTag, documents }: ToldRequest): Promise<AcceptReply> {
  const json = {
    batch_tag: batchTag,
    documents: documents.map(({ documentId, userId, text }) => ({
      id: documentId,
      text,
      ...(userId === "" ? {} : { user_id: userId }),
    })),
  };
  const headers = { "idempotency-key": key };
  return api.json(acceptReplySchema, { method: "POST", path: "/v1/documents", json, headers, attemptsMax: 1 });
}
