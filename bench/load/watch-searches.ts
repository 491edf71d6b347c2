/** Searches that go on while documents come in. */
import { setTimeout as sleep } from "node:timers/promises";
import { ApiClient } from "../../src/cli/api-client.ts";
import { searchReplySchema } from "../../src/lib/contract/search.ts";
import { nowMs, type Sent } from "./send-document.ts";

export interface SearchSample {
  readonly plannedAtMs: number;
  readonly latencyMs: number;
  readonly hasFailed: boolean;
  /** Whether it waited for the newest accepted document by its token (`min_token`). */
  readonly waited: boolean;
  /** Of one that waited and whose reply could hold it: from the moment that document was to be sent until the reply. */
  readonly searchableMs: number | null;
}

/** Every so often a search waits for a write. */
const WAITING_EVERY = 4;
/** As long as a search may wait. */
const WAIT_MS = 30_000;
const QUERY_CHARACTERS = 120;

/** Open loop: a search every `everyMs`, for the beginning of the newest accepted document, until `end` is called. */
export function watchSearches(url: string, everyMs: number, newest: () => Sent | undefined) {
  const samples: SearchSample[] = [];
  const running = new Set<Promise<void>>();
  const over = new AbortController();
  const search = async (document: Sent, plannedAtMs: number, waits: boolean): Promise<void> => {
    const json = {
      query: document.text.trim().slice(0, QUERY_CHARACTERS),
      k: 10,
      ...(waits ? { min_token: document.token, wait_ms: WAIT_MS } : {}),
    };
    const api = new ApiClient(url, document.key);
    const request = { method: "POST", path: "/v1/search", json, attemptsMax: 1 } as const;
    const reply = await api.json(searchReplySchema, request).catch(() => undefined);
    samples.push({
      plannedAtMs,
      latencyMs: nowMs() - plannedAtMs,
      hasFailed: reply === undefined,
      waited: waits,
      searchableMs: waits && reply?.caught_up === true ? nowMs() - document.plannedAtMs : null,
    });
  };
  const watch = async (): Promise<void> => {
    const startAtMs = nowMs();
    for (let index = 1; !over.signal.aborted; index += 1) {
      const plannedAtMs = startAtMs + index * everyMs;
      await sleep(Math.max(0, plannedAtMs - nowMs()));
      const document = newest();
      if (document === undefined || over.signal.aborted) continue;
      const searching: Promise<void> = search(document, plannedAtMs, index % WAITING_EVERY === 0).finally(() =>
        running.delete(searching),
      );
      running.add(searching);
    }
    await Promise.all(running);
  };
  const watching = watch();
  return {
    async end(): Promise<readonly SearchSample[]> {
      over.abort();
      await watching;
      return samples;
    },
  };
}
