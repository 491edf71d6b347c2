import { Empty } from "../parts/empty.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { BatchTable } from "./batch-table.tsx";
import { useBatches } from "./use-batches.ts";

/** Batches of one page of the API. */
const ROWS = 100;

export function Batches() {
  const { value, error } = useBatches(ROWS);
  return (
    <>
      <h1>Batches</h1>
      {error !== undefined && <ProblemNote error={error} />}
      {value === undefined && error === undefined && <p class="soft">Reading the batches …</p>}
      {value?.length === 0 && (
        <Empty title="No batches yet">
          Every ingest request belongs to one: by its <code>batch_tag</code>, or one of its own. Send documents with{" "}
          <code>POST /v1/documents</code>.
        </Empty>
      )}
      {value !== undefined && value.length > 0 && <BatchTable batches={value} />}
      {value?.length === ROWS && (
        <p class="soft">
          The latest {ROWS}. Older ones: <code>GET /v1/batches?before=…</code>
        </p>
      )}
    </>
  );
}
