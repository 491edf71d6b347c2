import type { Message, MessageBatch } from "@cloudflare/workers-types";
import type { DriftReport } from "../lib/contract/drift.ts";
import { embedMessageSchema, type EmbedMessage } from "../lib/contract/queue-message.ts";
import { writeReportIfDone, type ReportContext } from "../lib/flows/batches/write-report.ts";
import { type ApplyContext, applyRanges } from "./apply-ranges.ts";
import { readMessage } from "./read-message.ts";
import { EMBED_QUEUE, type RangeDelivery } from "./settle-range.ts";

export interface EmbedConsumerContext extends ApplyContext, ReportContext {
  readonly metrics: ApplyContext["metrics"] & {
    readonly compared: (comparison: Readonly<Record<"dimension" | "against" | "verdict", string>>) => void;
  };
}

/** Applies the ranges that a batch names, and writes the reports of what is done by that. Never throws for a message. */
export async function consumeEmbedBatch(batch: MessageBatch, context: EmbedConsumerContext): Promise<void> {
  const ended = await applyRanges(
    batch.messages.flatMap((message) => readDelivery(message, context) ?? []),
    context,
  );
  const touched = new Map(ended.map((message) => [batchKeyOf(message), message]));
  for (const message of touched.values()) {
    // A stream has no end to report on: its object a second would be a report a second.
    if (message.origin !== undefined) continue;
    const name = { tenantId: message.tenant_id, batchTag: message.batch_tag };
    const drift = await writeReportIfDone(context, name);
    if (drift !== undefined) noteDrift(context, name.tenantId, drift);
  }
}

function readDelivery(message: Message, context: EmbedConsumerContext): RangeDelivery | undefined {
  const range = readMessage(message, { schema: embedMessageSchema, queue: EMBED_QUEUE }, context);
  return range === undefined ? undefined : { message, range };
}

/** Counts each comparison, and tells the log of each dimension that has drifted: its name and figures, never a category. */
function noteDrift(context: EmbedConsumerContext, tenantId: string, drift: DriftReport): void {
  for (const against of ["previous", "baseline"] as const) {
    for (const { dimension, verdict, psi, js } of drift[against].dimensions) {
      context.metrics.compared({ dimension, against, verdict });
      if (verdict !== "drifted") continue;
      const facts = { tenant_id: tenantId, batch_tag: drift.batch_tag, dimension, against, psi, js_bits: js };
      context.log.warn("batch_drifted", facts);
    }
  }
}

function batchKeyOf(message: EmbedMessage): string {
  return `${message.tenant_id}/${message.batch_tag}`;
}
