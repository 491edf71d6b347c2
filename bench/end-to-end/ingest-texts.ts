import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { ApiClient } from "../../src/cli/api-client.ts";
import { batchStatusSchema } from "../../src/lib/contract/batch.ts";
import { searchReplySchema } from "../../src/lib/contract/search.ts";
import type { BenchText } from "../support/read-texts.ts";

/** Bytes of text of one request: a client that has its texts at hand sends large bodies, the limit is 16 MiB. */
const REQUEST_TEXT_BYTES = 1024 * 1024;
const REQUEST_DOCUMENTS = 1000;
const POLL_MS = 100;
const PATIENCE_MS = 600_000;

export interface IngestResult {
  readonly seconds: number;
  readonly acceptedSeconds: number;
  readonly chunkCount: number;
  /** Tokens of all chunks, without special tokens; chunks do not overlap, so these are the texts' own. */
  readonly tokenCount: number;
}

/** From the first request until the store has counted every document as indexed and a search finds one of them. */
export async function ingestTexts(
  target: { readonly url: string; readonly key: string },
  texts: readonly BenchText[],
  batchTag: string,
): Promise<IngestResult> {
  const api = new ApiClient(target.url, target.key);
  const startedAtMs = performance.now();
  const seconds = (): number => (performance.now() - startedAtMs) / 1000;
  for (const documents of requestsOf(texts)) {
    await api.json(z.looseObject({}), {
      method: "POST",
      path: "/v1/documents",
      json: { batch_tag: batchTag, documents },
    });
  }
  const acceptedSeconds = seconds();
  for (;;) {
    const status = await api.json(batchStatusSchema, { path: `/v1/batches/${batchTag}` });
    if (status.state === "done") {
      if (status.outcomes.indexed !== texts.length || status.chunk_reused_count > 0) {
        throw new Error(
          `of ${texts.length} texts ${status.outcomes.indexed} were indexed, ${status.chunk_reused_count} chunks reused`,
        );
      }
      const total = seconds();
      await findOne(api, texts);
      return { seconds: total, acceptedSeconds, chunkCount: status.chunk_count, tokenCount: status.token_count };
    }
    if (status.state === "done_with_failures") throw new Error("some texts could not be indexed");
    if (seconds() * 1000 > PATIENCE_MS) throw new Error("the texts were not indexed in time");
    await sleep(POLL_MS);
  }
}

function requestsOf(texts: readonly BenchText[]): readonly (readonly BenchText[])[] {
  const requests: BenchText[][] = [];
  let sizeBytes = Infinity;
  for (const text of texts) {
    const request = requests.at(-1);
    const bytes = Buffer.byteLength(text.text);
    if (request === undefined || sizeBytes + bytes > REQUEST_TEXT_BYTES || request.length >= REQUEST_DOCUMENTS) {
      requests.push([text]);
      sizeBytes = bytes;
    } else {
      request.push(text);
      sizeBytes += bytes;
    }
  }
  return requests;
}

/** What was counted can also be found. */
async function findOne(api: ApiClient, texts: readonly BenchText[]): Promise<void> {
  const query = (texts[0]?.text ?? "").slice(0, 200);
  const reply = await api.json(searchReplySchema, { method: "POST", path: "/v1/search", json: { query, k: 1 } });
  if (reply.hits.length === 0) throw new Error("a search finds nothing of what was indexed");
}
