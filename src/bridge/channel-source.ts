/**
 * Messages of Redis channels, delivered at most once: Redis keeps none of them, so that what arrives while the bridge is away, is disconnected or
 * has a full buffer is gone. For what must not be lost there is the stream.
 */
import { BRIDGE_LIMITS } from "./bridge-limits.ts";
import type { ApiSender } from "./api-sender.ts";
import type { BridgeLog } from "./bridge-log.ts";
import type { BridgeCounters } from "./counters.ts";
import { addLetter } from "./dead-letter.ts";
import { TriggerGroup, type RequestBounds } from "./group-triggers.ts";
import type { InFlight } from "./in-flight.ts";
import { channelRequest } from "./ingest-request.ts";
import { parseMessage, type MessageRefusal } from "./parse-message.ts";
import { isRedisFailure, type RedisClient } from "./redis-connection.ts";
import { slept } from "./slept.ts";
import { documentKeys, type Trigger } from "./trigger.ts";

export interface ChannelSourceOptions {
  readonly channels: readonly string[];
  readonly subscriber: RedisClient;
  readonly commands: RedisClient;
  readonly sender: ApiSender;
  readonly inFlight: InFlight;
  readonly counters: BridgeCounters;
  readonly log: BridgeLog;
  readonly bounds: RequestBounds;
  readonly lingerMs: number;
  readonly messageBytesMax: number;
  readonly deadLetters: { readonly stream: string; readonly max: number };
  readonly newRequestId: () => string;
  readonly giveUp: AbortSignal;
}

export class ChannelSource {
  readonly #options: ChannelSourceOptions;
  readonly #waiting: Trigger[] = [];
  #waitingBytes = 0;
  #wake: (() => void) | undefined;

  constructor(options: ChannelSourceOptions) {
    this.#options = options;
  }

  /** Delivers until `stop`, then what waits. */
  async run(stop: AbortSignal): Promise<void> {
    const { subscriber, channels, lingerMs } = this.#options;
    const onMessage = (message: Buffer, channel: Buffer): void => this.#receive(message, channel.toString());
    await subscriber.subscribe([...channels], onMessage, true);
    while (!stop.aborted) {
      await this.#arrival(stop);
      await slept(lingerMs, stop);
      await this.#startAll();
    }
    await subscriber.unsubscribe([...channels]).catch((error: unknown) => {
      if (!isRedisFailure(error)) throw error;
    });
    await this.#startAll();
  }

  #receive(message: Buffer, channel: string): void {
    const { counters, messageBytesMax } = this.#options;
    counters.messages_received += 1;
    const documents = parseMessage(message, messageBytesMax);
    if (!documents.ok) {
      void this.#bury(channel, message, documents.error);
      return;
    }
    const isFull =
      this.#waiting.length >= BRIDGE_LIMITS.channelMessagesMax ||
      this.#waitingBytes + message.length > BRIDGE_LIMITS.channelBytesMax;
    if (isFull) {
      counters.messages_dropped += 1;
      return;
    }
    this.#waiting.push({ id: "", documents: documents.value, sizeBytes: message.length });
    this.#waitingBytes += message.length;
    this.#wake?.();
  }

  /** Resolves when something waits, or on `stop`. */
  async #arrival(stop: AbortSignal): Promise<void> {
    if (this.#waiting.length > 0 || stop.aborted) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      stop.addEventListener("abort", () => resolve(), { once: true });
    });
    this.#wake = undefined;
  }

  async #startAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = new TriggerGroup(this.#options.bounds);
      let next = this.#waiting[0];
      while (next !== undefined && group.add(next)) {
        this.#waiting.shift();
        this.#waitingBytes -= next.sizeBytes;
        next = this.#waiting[0];
      }
      await this.#start(group.triggers);
    }
  }

  async #start(triggers: readonly Trigger[]): Promise<void> {
    const { sender, inFlight, counters, giveUp, log, newRequestId } = this.#options;
    const request = channelRequest(newRequestId(), triggers);
    await inFlight.start(documentKeys(triggers), async () => {
      const outcome = await sender.send(request, giveUp);
      if (outcome.kind === "abandoned") counters.messages_dropped += triggers.length;
      if (outcome.kind !== "refused") return;
      counters.messages_dropped += triggers.length;
      log.event("request_refused", { reason: outcome.reason, messages: triggers.length });
    });
  }

  /** Once, like the message itself: where Redis does not answer, only the counter knows. */
  async #bury(channel: string, message: Buffer, refusal: MessageRefusal): Promise<void> {
    const { commands, counters, deadLetters, log } = this.#options;
    const letter = {
      toStream: deadLetters.stream,
      lettersMax: deadLetters.max,
      from: channel,
      id: "",
      refusal,
      message,
    };
    counters.messages_dead_lettered += 1;
    log.event("dead_letter", { id: channel, code: refusal.code });
    try {
      await addLetter(commands.multi(), letter).exec();
    } catch (error) {
      if (!isRedisFailure(error)) throw error;
    }
  }
}
