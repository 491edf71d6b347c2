import { setTimeout as sleep } from "node:timers/promises";
import { ApiClient } from "../../src/cli/api-client.ts";
import { searchReplySchema } from "../../src/lib/contract/search.ts";
import type { AckedEvent } from "./live-talk.ts";

const WAIT_MS = 30_000;
const HITS = 10;

export interface SearchableSample {
  /** From the planned time of the event to the reply of the search that held it. */
  readonly searchableMs: number;
  readonly isFound: boolean;
}

/** Samples in flight at most: a system that cannot keep up is not to be drowned in the questions how it does. */
const SAMPLES_MAX = 32;

/**
 * Every `everyMs` the newest acknowledged event is searched for, at once, by its own text, in hybrid mode, with its token as `min_token`: the search
 * waits on the server until the event can be found. Until `isOver`.
 */
export async function sampleSearchable(
  target: { readonly url: string; readonly key: string },
  options: { readonly everyMs: number; readonly newest: () => AckedEvent | undefined; readonly isOver: () => boolean },
): Promise<readonly SearchableSample[]> {
  const api = new ApiClient(target.url, target.key);
  const running = new Set<Promise<void>>();
  const samples: SearchableSample[] = [];
  let last: AckedEvent | undefined;
  while (!options.isOver()) {
    await sleep(options.everyMs);
    const event = options.newest();
    if (event === undefined || event === last || event.token === null || running.size >= SAMPLES_MAX) continue;
    last = event;
    const sample: Promise<void> = searchFor(api, event)
      .then((found) => void samples.push(found))
      .finally(() => running.delete(sample));
    running.add(sample);
  }
  await Promise.all(running);
  return samples;
}

async function searchFor(api: ApiClient, event: AckedEvent): Promise<SearchableSample> {
  const json = {
    query: event.text,
    user_id: event.userId,
    tiers: ["event"],
    k: HITS,
    min_token: event.token,
    wait_ms: WAIT_MS,
  };
  const reply = await api.json(searchReplySchema, { method: "POST", path: "/v1/search", json });
  const isFound = reply.hits.some(({ document_id: id }) => id === `${event.sessionId}/${event.seq}`);
  return { searchableMs: performance.now() - event.plannedAtMs, isFound };
}
