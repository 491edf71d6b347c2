import type { BatchStatus } from "../../lib/contract/batch.ts";
import { StackedBar } from "../parts/bars.tsx";
import { State } from "../parts/badge.tsx";
import { agoText, countText, secondsText } from "../service/format.ts";
import { hashOf } from "../service/use-hash.ts";

/** Outcomes of a batch as parts of a bar, what is on its way last. */
export function outcomeParts(batch: Pick<BatchStatus, "outcomes" | "pending_count">) {
  return [
    ...Object.entries(batch.outcomes).map(([word, count]) => ({ word, count })),
    { word: "queued", count: batch.pending_count },
  ];
}

export function BatchTable({ batches }: { readonly batches: readonly BatchStatus[] }) {
  const nowMs = Date.now();
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">batch</th>
            <th scope="col">state</th>
            <th scope="col" class="bar">
              inputs by outcome
            </th>
            <th scope="col" class="right">
              inputs
            </th>
            <th scope="col" class="right">
              chunks
            </th>
            <th scope="col">last applied</th>
          </tr>
        </thead>
        <tbody>
          {batches.map((batch) => (
            <tr key={batch.batch_tag}>
              <td>
                <a href={hashOf("batches", batch.batch_tag)}>{batch.batch_tag}</a>
              </td>
              <td>
                <State word={batch.state} />
              </td>
              <td class="bar">
                <StackedBar label={`Inputs of ${batch.batch_tag}`} parts={outcomeParts(batch)} />
              </td>
              <td class="right">{countText(batch.document_count)}</td>
              <td class="right">{countText(batch.chunk_count)}</td>
              <td class="soft nowrap">
                {agoText(batch.last_applied_at, nowMs)}
                {batch.eta_seconds !== null && batch.pending_count > 0 && `, ${secondsText(batch.eta_seconds)} left`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
