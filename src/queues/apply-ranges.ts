import { ok } from "../lib/base/result.ts";
import { Semaphore } from "../lib/base/semaphore.ts";
import type { InTrace } from "../lib/base/trace.ts";
import type { EmbedMessage } from "../lib/contract/queue-message.ts";
import type { IndexRangeError } from "../lib/flows/indexing/context.ts";
import { finishRanges } from "../lib/flows/indexing/finish-ranges.ts";
import { groupRanges } from "../lib/flows/indexing/group-ranges.ts";
import { finishRange, indexRange } from "../lib/flows/indexing/index-range.ts";
import { type PreparedRange, prepareRange } from "../lib/flows/indexing/prepare-range.ts";
import { retryDelaySeconds } from "./disposition.ts";
import { isSharedFailure } from "./range-disposition.ts";
import { type RangeAttempt, type RangeDelivery, settleRange, type SettleContext } from "./settle-range.ts";

export interface ApplyContext extends SettleContext {
  readonly inTrace: InTrace;
}

/** Ranges read and compared at a time: a round trip each at any moment, and an invocation has six connections. */
const PREPARED_AT_ONCE_MAX = 6;
/** Groups of ranges embedded and committed at a time: while one embeds, another commits. More would not fill the embedder better. */
const FINISHED_AT_ONCE_MAX = 3;

/**
 * Applies the ranges of one batch, small ones of a tenant together, and ends each message by its own cause: what fails together is tried again one by one.
 * Returns those whose range has ended, now or before. Never throws for a message.
 */
export async function applyRanges(
  deliveries: readonly RangeDelivery[],
  context: ApplyContext,
): Promise<readonly EmbedMessage[]> {
  const run = new BatchRun(context);
  await run.apply(deliveries);
  return run.ended;
}

interface RangeInHand {
  readonly delivery: RangeDelivery;
  readonly startedAtMs: number;
  readonly prepared: PreparedRange;
}

async function forEach<T>(items: readonly T[], atOnceMax: number, work: (item: T) => Promise<void>): Promise<void> {
  const slots = new Semaphore(atOnceMax);
  await Promise.all(items.map((item) => slots.run(() => work(item))));
}

class BatchRun {
  readonly ended: EmbedMessage[] = [];
  readonly #context: ApplyContext;
  #sharedFailure: IndexRangeError | undefined;

  constructor(context: ApplyContext) {
    this.#context = context;
  }

  async apply(deliveries: readonly RangeDelivery[]): Promise<void> {
    const inHand: RangeInHand[] = [];
    await forEach(deliveries, PREPARED_AT_ONCE_MAX, async (delivery) => {
      const range = await this.#prepare(delivery);
      if (range !== undefined) inHand.push(range);
    });
    const { together, after } = groupRanges(inHand);
    await forEach(together, FINISHED_AT_ONCE_MAX, (group) => this.#finish(group));
    for (const { delivery } of after) await this.#applyAlone(delivery);
  }

  /** A range that is ready to be finished; undefined where its message has ended. */
  #prepare(delivery: RangeDelivery): Promise<RangeInHand | undefined> {
    return this.#attempt(delivery, async (startedAtMs) => {
      const prepared = await prepareRange(this.#context, delivery.range);
      if (!prepared.ok) return this.#settle(delivery, { startedAtMs, result: prepared, togetherCount: 1 });
      const { value } = prepared;
      if (value.state === "prepared") return { delivery, startedAtMs, prepared: value.range };
      return this.#settle(delivery, { startedAtMs, result: ok(value.report), togetherCount: 1 });
    });
  }

  async #finish(group: readonly RangeInHand[]): Promise<void> {
    const [first] = group;
    if (first === undefined) return;
    if (group.length === 1) return this.#finishAlone(first);
    const prepared = group.map((range) => range.prepared);
    const finished = await finishRanges(this.#context, prepared);
    if (!finished.ok) {
      const facts = { tenant_id: first.delivery.range.tenant_id, ranges_together: group.length };
      this.#context.log.warn("ranges_parted", { ...facts, code: finished.error.code });
    }
    for (const [place, { delivery, startedAtMs }] of group.entries()) {
      const report = finished.ok ? finished.value[place] : undefined;
      await (report === undefined
        ? this.#applyAlone(delivery)
        : this.#context.inTrace(delivery.range.trace_id, () =>
            this.#settle(delivery, { startedAtMs, result: ok(report), togetherCount: group.length }),
          ));
    }
  }

  #finishAlone({ delivery, startedAtMs, prepared }: RangeInHand): Promise<void> {
    return this.#attempt(delivery, async () => {
      const result = await finishRange(this.#context, prepared);
      return this.#settle(delivery, { startedAtMs, result, togetherCount: 1 });
    });
  }

  #applyAlone(delivery: RangeDelivery): Promise<void> {
    return this.#attempt(delivery, async (startedAtMs) => {
      const result = await indexRange(this.#context, delivery.range);
      return this.#settle(delivery, { startedAtMs, result, togetherCount: 1 });
    });
  }

  /** Work on one range, in its trace. What failed for one message of the batch on a dependency's account would fail for all: it spares it the load. */
  async #attempt<T>(
    { message, range }: RangeDelivery,
    work: (startedAtMs: number) => Promise<T>,
  ): Promise<T | undefined> {
    const { clock, inTrace, metrics, random } = this.#context;
    if (this.#sharedFailure === undefined) return inTrace(range.trace_id, () => work(clock()));
    message.retry({ delaySeconds: retryDelaySeconds(message.attempts, random) });
    metrics.retried("spared");
    return undefined;
  }

  async #settle(delivery: RangeDelivery, attempt: RangeAttempt): Promise<undefined> {
    const { applied, failure } = await settleRange(delivery, attempt, this.#context);
    if (failure !== undefined && isSharedFailure(failure)) this.#sharedFailure = failure;
    if (applied !== undefined) this.ended.push(applied);
    return undefined;
  }
}
