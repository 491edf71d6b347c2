import { err, ok, type Result } from "../../base/result.ts";
import type { EmbedMessage } from "../../contract/queue-message.ts";
import { finishRanges } from "./finish-ranges.ts";
import type { IndexingContext, IndexRangeError, IndexRangeReport } from "./context.ts";
import { type PreparedRange, prepareRange } from "./prepare-range.ts";

/**
 * Applies one range of a WAL object to the store: load, chunk, reuse known vectors, embed the rest, one transaction.
 * Repeating it, in any order and at any time, has one effect: the ledger row commits together with everything else.
 */
export async function indexRange(
  context: IndexingContext,
  message: EmbedMessage,
): Promise<Result<IndexRangeReport, IndexRangeError>> {
  const prepared = await prepareRange(context, message);
  if (!prepared.ok) return prepared;
  return prepared.value.state === "applied" ? ok(prepared.value.report) : finishRange(context, prepared.value.range);
}

/** Embeds and commits a prepared range alone. */
export async function finishRange(
  context: IndexingContext,
  range: PreparedRange,
): Promise<Result<IndexRangeReport, IndexRangeError>> {
  const finished = await finishRanges(context, [range]);
  if (!finished.ok) return finished;
  const [report] = finished.value;
  return report === undefined ? err({ code: "store_changed" }) : ok(report);
}
