import { ok, type Result } from "../../base/result.ts";
import { commitRanges } from "./commit-ranges.ts";
import type { IndexingContext, IndexRangeError, IndexRangeReport } from "./context.ts";
import { embedDocuments } from "./embed-documents.ts";
import type { PreparedRange } from "./prepare-range.ts";

/**
 * Embeds what is new in a group of ranges (`groupRanges`) by shared requests and commits all of them in one transaction: a report for each, in order, or
 * none of them applied, but for a lost reply. Then each may be applied alone by `indexRange`, which finds what held.
 */
export async function finishRanges(
  context: IndexingContext,
  ranges: readonly PreparedRange[],
): Promise<Result<readonly IndexRangeReport[], IndexRangeError>> {
  const [first] = ranges;
  if (first === undefined) return ok([]);
  const { message, model } = first;
  const tenantId = message.tenant_id;
  const documents = ranges.flatMap(({ fresh }, place) => fresh.map((document) => ({ ...document, place })));
  const embedded = await embedDocuments(context, { tenantId, model, documents });
  if (!embedded.ok) return embedded;
  const byPlace = Map.groupBy(embedded.value, ({ place }) => place);
  const work = ranges.map((range, place) => ({ ...range, indexed: byPlace.get(place) ?? [] }));
  return commitRanges(context, { tenantId, model, ranges: work });
}
