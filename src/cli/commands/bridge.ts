import { randomBytes, randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { BRIDGE_LIMITS } from "../../bridge/bridge-limits.ts";
import { createBridgeLog } from "../../bridge/bridge-log.ts";
import { isRedisFailure, redisReason } from "../../bridge/redis-connection.ts";
import { runBridge, type BridgeOptions } from "../../bridge/run-bridge.ts";
import type { CommandArguments } from "../arguments/command-arguments.ts";
import { CommandError, usageError } from "../command-error.ts";
import { requireConnection } from "../connection.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { Interruption } from "../terminal/interruption.ts";

/** `jeeves bridge redis`: until a signal; code 1 when it could not finish what was in flight. */
export async function run(args: CommandArguments): Promise<ExitCode> {
  const [kind, ...others] = args.positionals;
  if (kind !== "redis" || others.length > 0) throw usageError("bridge takes one word: redis");
  const { url, key } = await requireConnection(args);
  const options = bridgeOptions(args);
  const interruption = new Interruption();
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  try {
    const { isDrained } = await runBridge({
      ...options,
      api: { url: url.replace(/\/$/, ""), key },
      newRequestId: randomUUID,
      log: createBridgeLog({ isJson: args.flag("json"), clock: Date.now, write }),
      stop: interruption.signal,
    });
    return isDrained ? EXIT.ok : EXIT.failed;
  } catch (error) {
    // Only at the start: later it is waited out.
    if (isRedisFailure(error)) throw new CommandError(`Redis refuses: ${redisReason(error)}`, EXIT.unreachable);
    throw error;
  } finally {
    interruption.end();
  }
}

function bridgeOptions(args: CommandArguments): Omit<BridgeOptions, "api" | "newRequestId" | "log" | "stop"> {
  const streamName = args.text("stream");
  const channels = args.texts("channel");
  const source = streamName ?? channels[0];
  if (source === undefined) throw usageError("--stream or --channel is missing");
  const secondsOf = (name: string, fallback: number): number =>
    (args.number(name, { min: 0.1, max: 86_400 }) ?? fallback) * 1000;
  const countOf = (name: string, fallback: number, max: number): number =>
    args.integer(name, { min: 1, max }) ?? fallback;
  return {
    redisUrl: redisUrl(args),
    stream:
      streamName === undefined
        ? undefined
        : {
            name: streamName,
            group: args.text("group") ?? "jeeves",
            consumer: args.text("consumer") ?? `${hostname()}-${process.pid}-${randomBytes(4).toString("hex")}`,
            deletesAcked: args.flag("delete-acked"),
          },
    channels,
    deadLetters: {
      stream: args.text("dead-letters") ?? `${source}:dead`,
      max: countOf("dead-letters-max", 10_000, 10_000_000),
    },
    bounds: {
      documentsMax: countOf("request-documents", 100, BRIDGE_LIMITS.requestDocumentsMax),
      bytesMax: BRIDGE_LIMITS.requestBytesMax,
    },
    lingerMs: args.integer("linger-ms", { min: 0, max: 60_000 }) ?? 20,
    inFlightMax: countOf("in-flight", 4, BRIDGE_LIMITS.inFlightMax),
    messageBytesMax: countOf("message-bytes", BRIDGE_LIMITS.messageBytesMax, BRIDGE_LIMITS.messageBytesMax),
    claimIdleMs: secondsOf("claim-seconds", 60),
    drainMs: secondsOf("drain-seconds", 20),
    healthEveryMs: secondsOf("health-seconds", 60),
  };
}

/** The URL holds a password: no message repeats it. */
function redisUrl(args: CommandArguments): string {
  const url = args.text("redis") ?? process.env["REDIS_URL"];
  if (url === undefined || url === "") throw usageError("no Redis: set REDIS_URL or give --redis");
  const isRedis = URL.canParse(url) && /^rediss?:$/.test(new URL(url).protocol);
  if (!isRedis) throw usageError("REDIS_URL (or --redis) takes a redis:// or rediss:// URL");
  return url;
}
