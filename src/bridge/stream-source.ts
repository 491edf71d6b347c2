/** Finds the entries that this consumer has to deliver: its own from before, those that a dead one left, new ones. */
import { backoffMs } from "./backoff.ts";
import { BRIDGE_LIMITS } from "./bridge-limits.ts";
import type { BridgeLog } from "./bridge-log.ts";
import type { BridgeCounters } from "./counters.ts";
import { groupTriggers, TriggerGroup, type RequestBounds } from "./group-triggers.ts";
import type { InFlight } from "./in-flight.ts";
import { isRedisFailure, redisReason } from "./redis-connection.ts";
import { slept } from "./slept.ts";
import type { StreamDelivery } from "./stream-delivery.ts";
import type { StreamGroup } from "./stream-group.ts";
import type { Trigger } from "./trigger.ts";

export interface StreamSourceOptions {
  readonly group: StreamGroup;
  readonly delivery: StreamDelivery;
  readonly inFlight: InFlight;
  readonly counters: BridgeCounters;
  readonly log: BridgeLog;
  readonly bounds: RequestBounds;
  readonly lingerMs: number;
  readonly claimIdleMs: number;
}

export class StreamSource {
  readonly #options: StreamSourceOptions;
  /** Entries may be pending here that are not in memory: at the start, and after a read whose reply was lost. */
  #isOwnUnknown = true;
  #claimAtMs = 0;

  constructor(options: StreamSourceOptions) {
    this.#options = options;
  }

  /** Starts requests until `stop`; those that it has started go on. */
  async run(stop: AbortSignal): Promise<void> {
    for (let failures = 0; !stop.aborted;) {
      try {
        await this.#step(stop);
        failures = 0;
      } catch (error) {
        if (!isRedisFailure(error)) throw error;
        failures += 1;
        this.#noteFailure(error);
        await slept(backoffMs(failures, BRIDGE_LIMITS.redisBackoffMaxMs, Math.random()), stop);
      }
    }
  }

  #noteFailure(error: Error): void {
    this.#options.counters.redis_failures += 1;
    this.#options.log.event("redis_failed", { reason: redisReason(error) });
    this.#isOwnUnknown = true;
  }

  async #step(stop: AbortSignal): Promise<void> {
    await this.#options.inFlight.room();
    if (this.#isOwnUnknown) {
      await this.#options.group.ensure();
      await this.#recoverOwn(stop);
      this.#isOwnUnknown = false;
    }
    if (Date.now() >= this.#claimAtMs) await this.#claimIdle(stop);
    const triggers = await this.#gather(stop);
    for (const group of groupTriggers(triggers, this.#options.bounds)) await this.#options.delivery.start(group, false);
  }

  /** New triggers for a request: from the first one on it waits no longer than the linger. */
  async #gather(stop: AbortSignal): Promise<readonly Trigger[]> {
    const { group, delivery, lingerMs, bounds } = this.#options;
    const request = new TriggerGroup(bounds);
    const overflow: Trigger[] = [];
    let restMs: number = BRIDGE_LIMITS.blockMs;
    let endAtMs: number | undefined;
    try {
      while (restMs > 0 && overflow.length === 0 && !request.isFull && !stop.aborted) {
        const entries = await group.readNew(Math.ceil(restMs));
        if (entries.length === 0) break;
        for (const trigger of await delivery.take(entries))
          if (overflow.length > 0 || !request.add(trigger)) overflow.push(trigger);
        endAtMs ??= Date.now() + lingerMs;
        restMs = endAtMs - Date.now();
      }
    } catch (error) {
      if (!isRedisFailure(error)) throw error;
      // What is in memory goes on; what the failed read may have left pending is looked for in the next step.
      this.#noteFailure(error);
    }
    return [...request.triggers, ...overflow];
  }

  async #recoverOwn(stop: AbortSignal): Promise<void> {
    let afterId = "";
    for (;;) {
      const ids = await this.#options.group.ownPending(afterId);
      await this.#recover(ids);
      afterId = ids.at(-1) ?? "";
      if (ids.length < BRIDGE_LIMITS.readEntriesMax || stop.aborted) return;
    }
  }

  async #claimIdle(stop: AbortSignal): Promise<void> {
    const { group, claimIdleMs } = this.#options;
    let startId = "0-0";
    do {
      const claimed = await group.claimIdle(claimIdleMs, startId);
      await this.#forget(claimed.trimmedIds);
      await this.#recover(claimed.ids);
      startId = claimed.nextId;
    } while (startId !== "0-0" && !stop.aborted);
    this.#claimAtMs = Date.now() + claimIdleMs / 2;
  }

  /** Entries that were delivered before: those of a plan as that plan says, the others like new ones. */
  async #recover(ids: readonly string[]): Promise<void> {
    const { group, delivery, bounds } = this.#options;
    const isFree = (id: string): boolean => !delivery.isHeld(id);
    const plans = await group.plansOf(ids.filter(isFree));
    for (const plan of plans) {
      if (!plan.every(isFree)) continue;
      const triggers = await this.#recoverEntries(plan);
      // While it was read, another bridge may have finished the plan and deleted some of its entries.
      const [still] = await group.plansOf(plan.slice(0, 1));
      if (triggers.length > 0 && still !== undefined) await delivery.start(triggers, true);
      else delivery.release(triggers);
    }
    const planned = new Set(plans.flat());
    const unplanned = await this.#recoverEntries(ids.filter((id) => isFree(id) && !planned.has(id)));
    for (const triggers of groupTriggers(unplanned, bounds)) await delivery.start(triggers, false);
  }

  async #recoverEntries(ids: readonly string[]): Promise<readonly Trigger[]> {
    const entries = await this.#options.group.fetch(ids);
    this.#options.counters.entries_recovered += entries.length;
    const there = new Set(entries.map(({ id }) => id));
    await this.#forget(ids.filter((id) => !there.has(id)));
    return this.#options.delivery.take(entries);
  }

  /** Pending, and no longer in the stream: its producer has trimmed them, and nobody can deliver them. */
  async #forget(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#options.group.acknowledge(ids);
    this.#options.counters.entries_vanished += ids.length;
    this.#options.log.event("entries_vanished", { entries: ids.length });
  }
}
