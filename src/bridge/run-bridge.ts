import { ApiSender } from "./api-sender.ts";
import type { BridgeLog } from "./bridge-log.ts";
import { ChannelSource } from "./channel-source.ts";
import { newCounters, type BridgeCounters } from "./counters.ts";
import type { RequestBounds } from "./group-triggers.ts";
import { InFlight } from "./in-flight.ts";
import { connectRedis, isRedisFailure, redisPlace, type RedisClient } from "./redis-connection.ts";
import { slept } from "./slept.ts";
import { StreamDelivery } from "./stream-delivery.ts";
import { StreamGroup } from "./stream-group.ts";
import { StreamSource } from "./stream-source.ts";

export interface BridgeOptions {
  readonly redisUrl: string;
  readonly api: { readonly url: string; readonly key: string };
  readonly stream:
    | { readonly name: string; readonly group: string; readonly consumer: string; readonly deletesAcked: boolean }
    | undefined;
  readonly channels: readonly string[];
  readonly deadLetters: { readonly stream: string; readonly max: number };
  readonly bounds: RequestBounds;
  readonly lingerMs: number;
  readonly inFlightMax: number;
  readonly messageBytesMax: number;
  readonly claimIdleMs: number;
  readonly drainMs: number;
  readonly healthEveryMs: number;
  readonly newRequestId: () => string;
  readonly log: BridgeLog;
  /** Begins the drain. */
  readonly stop: AbortSignal;
}

/** How it ended. Not drained: entries are pending at a consumer that is gone; the next bridge delivers them. */
export interface BridgeEnd {
  readonly isDrained: boolean;
  readonly counters: BridgeCounters;
}

interface Parts {
  readonly options: BridgeOptions;
  readonly counters: BridgeCounters;
  readonly sender: ApiSender;
  readonly inFlight: InFlight;
  readonly giveUp: AbortSignal;
  readonly commands: RedisClient;
  /** One more connection of the same kind. */
  readonly connect: () => Promise<RedisClient>;
}

/** Runs until `stop`, then drains: reads nothing more, finishes what is in flight, acknowledges it and leaves the group. */
export async function runBridge(options: BridgeOptions): Promise<BridgeEnd> {
  const { log, stop } = options;
  const counters = newCounters();
  const clients: RedisClient[] = [];
  const connect = async (): Promise<RedisClient> => {
    const onFailure = (reason: string): void => log.event("redis_unreachable", { reason });
    const client = await connectRedis(options.redisUrl, { signal: stop, onFailure });
    clients.push(client);
    return client;
  };
  const giveUp = new AbortController();
  const onFailure = (reason: string, waitMs: number): void => log.event("api_failed", { reason, wait_ms: waitMs });
  const sender = new ApiSender({ url: options.api.url, apiKey: options.api.key, counters, onFailure });
  const inFlight = new InFlight(options.inFlightMax);
  const ended = new AbortController();
  const drainTimeout = giveUpAfterStop(stop, giveUp, options.drainMs, ended.signal);
  try {
    const commands = await connect();
    const parts: Parts = { options, counters, sender, inFlight, giveUp: giveUp.signal, commands, connect };
    log.event("bridge_started", { redis: redisPlace(options.redisUrl), api: options.api.url });
    return await runSources(parts, ended.signal);
  } catch (error) {
    // Asked to end before Redis was there.
    if (stop.aborted && isRedisFailure(error)) return { isDrained: true, counters };
    throw error;
  } finally {
    ended.abort();
    await drainTimeout;
    for (const client of clients) client.destroy();
  }
}

async function runSources(parts: Parts, ended: AbortSignal): Promise<BridgeEnd> {
  const { options, counters, inFlight, giveUp } = parts;
  const group = await openGroup(parts);
  const sources: Promise<void>[] = [];
  if (group !== undefined) sources.push(streamSource(parts, group).run(options.stop));
  if (options.channels.length > 0) {
    const subscriber = await parts.connect();
    sources.push(new ChannelSource({ ...sharedOf(parts), channels: options.channels, subscriber }).run(options.stop));
  }
  const health = tellHealth(parts, group, ended);
  await Promise.race([Promise.all(sources), health]);
  await inFlight.settled();
  const hasLeft = group === undefined || giveUp.aborted || (await group.leave().catch(() => false));
  const isDrained = hasLeft && !giveUp.aborted;
  options.log.event("bridge_ended", { drained: isDrained ? "yes" : "no", ...counters });
  return { isDrained, counters };
}

async function openGroup(parts: Parts): Promise<StreamGroup | undefined> {
  const { stream } = parts.options;
  if (stream === undefined) return undefined;
  const clients = { commands: parts.commands, reader: await parts.connect() };
  const group = new StreamGroup({ ...stream, stream: stream.name }, clients);
  await group.ensure();
  return group;
}

function streamSource(parts: Parts, group: StreamGroup): StreamSource {
  const { options } = parts;
  const shared = sharedOf(parts);
  const delivery = new StreamDelivery({ ...shared, group, stream: options.stream?.name ?? "" });
  return new StreamSource({ ...shared, group, delivery, claimIdleMs: options.claimIdleMs });
}

function sharedOf({ options, commands, sender, inFlight, counters, giveUp }: Parts) {
  const { log, bounds, lingerMs, messageBytesMax, deadLetters, newRequestId } = options;
  const chosen = { log, bounds, lingerMs, messageBytesMax, deadLetters, newRequestId };
  return { commands, sender, inFlight, counters, giveUp, ...chosen };
}

async function giveUpAfterStop(
  stop: AbortSignal,
  giveUp: AbortController,
  drainMs: number,
  ended: AbortSignal,
): Promise<void> {
  const isAsked = new Promise<void>((resolve) => {
    for (const signal of [stop, ended]) {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    }
  });
  await isAsked;
  if (await slept(drainMs, ended)) giveUp.abort();
}

/** One line every `healthEveryMs` with all counters since the start, and what the group still has to do. */
async function tellHealth(
  { options, counters }: Parts,
  group: StreamGroup | undefined,
  ended: AbortSignal,
): Promise<void> {
  const never = new Promise<void>(() => undefined);
  while (await slept(options.healthEveryMs, ended)) {
    const depth = await group?.depth().catch(() => undefined);
    const facts = depth === undefined ? {} : { pending: depth.pending, lag: depth.lag };
    options.log.event("health", { ...facts, ...counters });
  }
  return never;
}
