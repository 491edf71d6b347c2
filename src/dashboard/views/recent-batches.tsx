import { Empty } from "../parts/empty.tsx";
import { Panel } from "../parts/panel.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { hashOf } from "../service/use-hash.ts";
import { BatchTable } from "./batch-table.tsx";
import { useBatches } from "./use-batches.ts";

const ROWS = 8;

export function RecentBatches() {
  const { value, error } = useBatches(ROWS);
  return (
    <Panel title="Latest batches" wide aside={<a href={hashOf("batches")}>all batches</a>}>
      {error !== undefined && <ProblemNote error={error} />}
      {value?.length === 0 && (
        <Empty title="No batches yet">
          Every ingest request belongs to one. Send documents with <code>POST /v1/documents</code>, or run{" "}
          <code>make demo</code>.
        </Empty>
      )}
      {value !== undefined && value.length > 0 && <BatchTable batches={value} />}
    </Panel>
  );
}
