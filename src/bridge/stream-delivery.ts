/**
 * What becomes of entries that are pending for this consumer: delivered at least once and in effect once. The order of writing is the promise:
 *   1 planned: which entries make one request   2 accepted by the API (202)   3 acknowledged, together with the end of the plan
 * A crash after 1 leaves a plan, which the next bridge sends as the same request under the same Idempotency-Key.
 */
import type { ApiSender } from "./api-sender.ts";
import type { BridgeLog } from "./bridge-log.ts";
import type { BridgeCounters } from "./counters.ts";
import type { InFlight } from "./in-flight.ts";
import { streamRequest } from "./ingest-request.ts";
import { parseMessage, type MessageRefusal } from "./parse-message.ts";
import { redisReason } from "./redis-connection.ts";
import { untilRedisAnswers } from "./redis-retry.ts";
import type { StreamEntry, StreamGroup } from "./stream-group.ts";
import { documentKeys, type Trigger } from "./trigger.ts";

export interface StreamDeliveryOptions {
  readonly stream: string;
  readonly group: StreamGroup;
  readonly sender: ApiSender;
  readonly inFlight: InFlight;
  readonly counters: BridgeCounters;
  readonly log: BridgeLog;
  readonly messageBytesMax: number;
  readonly deadLetters: { readonly stream: string; readonly max: number };
  /** Ends the waiting for Redis and the API. What is not acknowledged by then stays pending. */
  readonly giveUp: AbortSignal;
}

export class StreamDelivery {
  readonly #options: StreamDeliveryOptions;
  /** Entries in memory here: a claim that meets them again is nothing new. */
  readonly #held = new Set<string>();

  constructor(options: StreamDeliveryOptions) {
    this.#options = options;
  }

  isHeld(id: string): boolean {
    return this.#held.has(id);
  }

  /** Holds the entries and reads their messages; what is no trigger goes to the dead letters. */
  async take(entries: readonly StreamEntry[]): Promise<readonly Trigger[]> {
    const triggers: Trigger[] = [];
    for (const { id, message } of entries) {
      this.#held.add(id);
      this.#options.counters.entries_read += 1;
      const documents = parseMessage(message, this.#options.messageBytesMax);
      if (documents.ok) triggers.push({ id, documents: documents.value, sizeBytes: message?.length ?? 0 });
      else {
        await this.#bury({ id, message }, documents.error);
        this.#held.delete(id);
      }
    }
    return triggers;
  }

  /** Starts one request, as soon as there is room for it. `isPlanned`: its plan is in Redis from an earlier attempt. */
  async start(triggers: readonly Trigger[], isPlanned: boolean): Promise<void> {
    await this.#options.inFlight.start(documentKeys(triggers), async () => {
      await (isPlanned ? this.#send(triggers) : this.#planAndSend(triggers));
      this.release(triggers);
    });
  }

  /** Lets them go undelivered: whoever looks for pending entries finds them. */
  release(triggers: readonly Trigger[]): void {
    for (const { id } of triggers) this.#held.delete(id);
  }

  async #planAndSend(triggers: readonly Trigger[]): Promise<void> {
    const planned = await this.#redis(() => this.#options.group.plan(triggers.map(({ id }) => id)));
    if (planned === undefined) return;
    const isMine = new Set(planned.value);
    const mine = triggers.filter(({ id }) => isMine.has(id));
    this.#options.counters.entries_lost_to_others += triggers.length - mine.length;
    if (mine.length > 0) await this.#send(mine);
  }

  async #send(triggers: readonly Trigger[]): Promise<void> {
    const { sender, stream, group, counters, giveUp } = this.#options;
    const ids = triggers.map(({ id }) => id);
    const outcome = await sender.send(streamRequest(stream, triggers), giveUp);
    if (outcome.kind === "abandoned") return;
    if (outcome.kind === "refused") return this.#refused(triggers, outcome.reason);
    const acked = await this.#redis(() => group.acknowledge(ids));
    if (acked !== undefined) counters.entries_acked += ids.length;
  }

  /** A refused request had no effect. One of its entries may be to blame, and the others must not suffer: each is tried by itself. */
  async #refused(triggers: readonly Trigger[], reason: string): Promise<void> {
    const [first, ...others] = triggers;
    if (first === undefined) return;
    this.#options.log.event("request_refused", { reason, entries: triggers.length });
    if (others.length === 0) {
      const message = Buffer.from(JSON.stringify({ documents: first.documents }));
      return this.#bury({ id: first.id, message }, { code: "request_refused", detail: reason });
    }
    await this.#redis(() => this.#options.group.unplan(triggers.map(({ id }) => id)));
    for (const trigger of triggers) await this.#planAndSend([trigger]);
  }

  async #bury({ id, message }: StreamEntry, refusal: MessageRefusal): Promise<void> {
    const { group, deadLetters, stream, counters, log } = this.#options;
    const letter = { toStream: deadLetters.stream, lettersMax: deadLetters.max, from: stream, id, refusal, message };
    if ((await this.#redis(() => group.bury(id, letter))) === undefined) return;
    counters.messages_dead_lettered += 1;
    log.event("dead_letter", { id, code: refusal.code });
  }

  #redis<T>(operation: () => Promise<T>): Promise<{ readonly value: T } | undefined> {
    const onFailure = (error: Error): void => {
      this.#options.counters.redis_failures += 1;
      this.#options.log.event("redis_failed", { reason: redisReason(error) });
    };
    return untilRedisAnswers(operation, { giveUp: this.#options.giveUp, onFailure });
  }
}
