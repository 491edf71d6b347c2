import { useState } from "preact/hooks";
import { z } from "zod";
import { receiptSchema } from "../../lib/contract/receipt.ts";
import { OUTCOMES } from "../../lib/contract/verdict.ts";
import { Pager } from "../parts/pager.tsx";
import { Panel } from "../parts/panel.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { useSession } from "../service/session.ts";
import { useLoaded } from "../service/use-loaded.ts";
import { ReceiptTable } from "./receipt-table.tsx";

const receiptListSchema = z.object({ receipts: z.array(receiptSchema) });
const ROWS = 50;

/** What became of the inputs of a batch, page by page, by outcome. */
export function ReceiptsOfBatch({ tag }: { readonly tag: string }) {
  const { api } = useSession();
  const [outcome, setOutcome] = useState("");
  const [pages, setPages] = useState<readonly string[]>([""]);
  const after = pages.at(-1) ?? "";
  const query = new URLSearchParams({
    batch_tag: tag,
    limit: String(ROWS),
    ...(outcome === "" ? {} : { outcome }),
    ...(after === "" ? {} : { after }),
  });
  const path = `/v1/receipts?${query.toString()}`;
  const { value, error } = useLoaded(
    async (signal) => (await api.ask({ path, schema: receiptListSchema, signal })).receipts,
    [api, path],
  );
  const choice = (
    <label class="inline">
      outcome{" "}
      <select
        value={outcome}
        onChange={(event) => {
          setOutcome(event.currentTarget.value);
          setPages([""]);
        }}
      >
        <option value="">all</option>
        {OUTCOMES.map((each) => (
          <option value={each}>{each}</option>
        ))}
      </select>
    </label>
  );
  return (
    <Panel title="Receipts" wide aside={choice}>
      {error !== undefined && <ProblemNote error={error} />}
      {value?.length === 0 && <p class="soft">No input ended like this.</p>}
      {value !== undefined && value.length > 0 && <ReceiptTable receipts={value} />}
      <Pager pages={pages} next={value?.length === ROWS ? value.at(-1)?.id : undefined} onPages={setPages} />
    </Panel>
  );
}
