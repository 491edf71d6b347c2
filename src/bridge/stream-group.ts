import { RESP_TYPES } from "@redis/client";
import { z } from "zod";
import { BRIDGE_LIMITS } from "./bridge-limits.ts";
import { addLetter, type DeadLetter } from "./dead-letter.ts";
import { isRedisFailure, redisReason, type RedisClient } from "./redis-connection.ts";
import { LEAVE_SCRIPT, PLAN_SCRIPT } from "./stream-scripts.ts";

/** An entry of the stream: the bytes of its field `message`, undefined where it has none. */
export interface StreamEntry {
  readonly id: string;
  readonly message: Uint8Array | undefined;
}

export interface StreamGroupOptions {
  readonly stream: string;
  readonly group: string;
  readonly consumer: string;
  /** Acknowledged entries are deleted from the stream too: for a stream that this group alone reads. */
  readonly deletesAcked: boolean;
}

const idsSchema = z.array(z.string());
const rawEntriesSchema = z.array(
  z.object({ id: z.coerce.string(), message: z.record(z.string(), z.instanceof(Buffer)) }),
);

/** One consumer of a stream's group. Methods reject with the client's errors and change nothing halfway. */
export class StreamGroup {
  readonly #options: StreamGroupOptions;
  readonly #commands: RedisClient;
  /** Blocks in its reads, so that commands need another connection. */
  readonly #reader: RedisClient;
  readonly #plansKey: string;

  constructor(options: StreamGroupOptions, clients: { readonly commands: RedisClient; readonly reader: RedisClient }) {
    this.#options = options;
    this.#commands = clients.commands;
    this.#reader = clients.reader;
    this.#plansKey = `${options.stream}:jeeves-plans:${options.group}`;
  }

  /** Makes the group, and the stream, where there is none; a new group begins with the oldest entry. */
  async ensure(): Promise<void> {
    const { stream, group } = this.#options;
    try {
      await this.#commands.xGroupCreate(stream, group, "0", { MKSTREAM: true });
    } catch (error) {
      if (!isRedisFailure(error) || redisReason(error) !== "BUSYGROUP") throw error;
    }
  }

  /** Entries that no consumer has had, in order; waits for the first for `blockMs`. They are pending for this consumer from now on. */
  async readNew(blockMs: number): Promise<readonly StreamEntry[]> {
    const { stream, group, consumer } = this.#options;
    const replies = await this.#reader
      .withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
      .xReadGroup(group, consumer, { key: stream, id: ">" }, { COUNT: BRIDGE_LIMITS.readEntriesMax, BLOCK: blockMs });
    return entriesOf(replies?.[0]?.messages ?? []);
  }

  /** One page of ids that are pending for this consumer, after the id given. */
  async ownPending(afterId: string): Promise<readonly string[]> {
    const { stream, group, consumer } = this.#options;
    const start = afterId === "" ? "-" : `(${afterId}`;
    const page = await this.#commands.xPendingRange(stream, group, start, "+", BRIDGE_LIMITS.readEntriesMax, {
      consumer,
    });
    return page.map(({ id }) => id);
  }

  /** Takes over entries that have been pending at any consumer for at least `idleMs`. `nextId` is "0-0" when all were looked at. */
  async claimIdle(
    idleMs: number,
    startId: string,
  ): Promise<{ readonly ids: readonly string[]; readonly trimmedIds: readonly string[]; readonly nextId: string }> {
    const { stream, group, consumer } = this.#options;
    const reply = await this.#commands.xAutoClaimJustId(stream, group, consumer, idleMs, startId, {
      COUNT: BRIDGE_LIMITS.readEntriesMax,
    });
    return { ids: reply.messages, trimmedIds: reply.deletedMessages, nextId: reply.nextId };
  }

  /** The entries that are still in the stream, in the order of the ids. */
  async fetch(ids: readonly string[]): Promise<readonly StreamEntry[]> {
    const client = this.#commands.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    // One after another: together they may be as large as memory allows.
    const entries: StreamEntry[] = [];
    for (const id of ids) entries.push(...entriesOf(await client.xRange(this.#options.stream, id, id)));
    return entries;
  }

  /**
   * Writes down that these entries (1,000 at most, far below what Lua can unpack) make one request, in this order. Returns those that are still
   * this consumer's.
   */
  async plan(ids: readonly string[]): Promise<readonly string[]> {
    const { stream, group, consumer } = this.#options;
    const reply = await this.#commands.eval(PLAN_SCRIPT, {
      keys: [stream, this.#plansKey],
      arguments: [group, consumer, ...ids],
    });
    return idsSchema.parse(reply);
  }

  /** The plans that hold any of these entries. */
  async plansOf(ids: readonly string[]): Promise<readonly (readonly string[])[]> {
    if (ids.length === 0) return [];
    const names = await this.#commands.hmGet(
      this.#plansKey,
      ids.map((id) => `e:${id}`),
    );
    const plans = [...new Set(names.filter((name) => name !== null))];
    if (plans.length === 0) return [];
    const lists = await this.#commands.hmGet(
      this.#plansKey,
      plans.map((plan) => `p:${plan}`),
    );
    return lists.flatMap((list) => (list === null ? [] : [list.split(" ")]));
  }

  /** Forgets a plan whose request had no effect; its entries stay pending. */
  async unplan(ids: readonly string[]): Promise<void> {
    await this.#commands.hDel(this.#plansKey, planFields(ids));
  }

  /** Acknowledges entries and forgets their plan, at once. Repeating it is harmless. */
  async acknowledge(ids: readonly string[]): Promise<void> {
    const { stream, group, deletesAcked } = this.#options;
    const transaction = this.#commands
      .multi()
      .xAck(stream, group, [...ids])
      .hDel(this.#plansKey, planFields(ids));
    await (deletesAcked ? transaction.xDel(stream, [...ids]) : transaction).exec();
  }

  /** Acknowledges one entry and puts what is to be known of it into the dead-letter stream, at once. */
  async bury(id: string, letter: DeadLetter): Promise<void> {
    const { stream, group, deletesAcked } = this.#options;
    const transaction = addLetter(this.#commands.multi(), letter)
      .xAck(stream, group, id)
      .hDel(this.#plansKey, planFields([id]));
    await (deletesAcked ? transaction.xDel(stream, id) : transaction).exec();
  }

  /** Entries of the group that are delivered and not acknowledged, and those not delivered yet (null where Redis cannot tell). */
  async depth(): Promise<{ readonly pending: number; readonly lag: number | null }> {
    const groups = await this.#commands.xInfoGroups(this.#options.stream);
    const own = groups.find(({ name }) => name === this.#options.group);
    return { pending: own?.pending ?? 0, lag: own?.lag ?? null };
  }

  /** Takes this consumer out of the group; false when entries are pending for it, which others will claim. */
  async leave(): Promise<boolean> {
    const { stream, group, consumer } = this.#options;
    return (await this.#commands.eval(LEAVE_SCRIPT, { keys: [stream], arguments: [group, consumer] })) === 1;
  }
}

function entriesOf(raw: unknown): readonly StreamEntry[] {
  return rawEntriesSchema.parse(raw).map(({ id, message }) => ({ id, message: message["message"] }));
}

function planFields(ids: readonly string[]): string[] {
  return ids.flatMap((id) => [`e:${id}`, `p:${id}`]);
}
