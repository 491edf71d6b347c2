import { useState } from "preact/hooks";
import { receiptSchema, type Receipt } from "../../lib/contract/receipt.ts";
import { Badge, State } from "../parts/badge.tsx";
import { countText } from "../service/format.ts";
import { useSession } from "../service/session.ts";
import { useAction } from "../service/use-action.ts";

export function ReceiptTable({ receipts }: { readonly receipts: readonly Receipt[] }) {
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">document</th>
            <th scope="col">outcome</th>
            <th scope="col">reasons</th>
            <th scope="col" class="right">
              chunks
            </th>
            <th scope="col">in the store now</th>
          </tr>
        </thead>
        <tbody>
          {receipts.map((receipt) => (
            <ReceiptRow receipt={receipt} key={receipt.id} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ReceiptRow({ receipt }: { readonly receipt: Receipt }) {
  return (
    <tr>
      <td>
        {receipt.document_id === "" ? <i>without an id</i> : receipt.document_id}
        <br />
        <code class="small soft">{receipt.id}</code>
      </td>
      <td>
        <State word={receipt.outcome ?? receipt.state} />
      </td>
      <td>{receipt.reasons.length === 0 ? "–" : receipt.reasons.map(({ code }) => code).join(", ")}</td>
      <td class="right">{countText(receipt.chunk_count)}</td>
      <td>
        <Recount id={receipt.id} />
      </td>
    </tr>
  );
}

/** Counts in the store when it is clicked: what the receipt says is not believed, it is counted. */
function Recount({ id }: { readonly id: string }) {
  const { api } = useSession();
  const [verified, setVerified] = useState<Receipt | undefined>(undefined);
  const { run, isRunning, error } = useAction(async () => {
    setVerified(await api.ask({ path: `/v1/receipts/${encodeURIComponent(id)}?verify=1`, schema: receiptSchema }));
  });
  const proof = verified?.proof;
  return (
    <>
      <button type="button" class="small" onClick={() => void run()} disabled={isRunning}>
        {isRunning ? "counting …" : "recount"}
      </button>{" "}
      <span role="status">
        {error !== undefined && <Badge tone="bad">{error.code}</Badge>}
        {verified !== undefined && proof === undefined && <Badge tone="plain">nothing to count</Badge>}
        {proof !== undefined && (
          <>
            <Badge tone={proof.holds ? "good" : "bad"}>{proof.holds ? "holds" : "does not hold"}</Badge>{" "}
            <span class="soft small">
              {countText(proof.chunk_count)} chunks
              {proof.superseded ? ", superseded by a later version" : ""}
              {proof.stale_chunk_count > 0 ? `, ${proof.stale_chunk_count} stale` : ""}
            </span>
          </>
        )}
      </span>
    </>
  );
}
