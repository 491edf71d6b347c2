import { receiptSchema } from "../../lib/contract/receipt.ts";
import { JsonText } from "../parts/json-text.tsx";
import { Panel } from "../parts/panel.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { useSession } from "../service/session.ts";
import { useLoaded } from "../service/use-loaded.ts";
import { hashOf } from "../service/use-hash.ts";
import { ReceiptTable } from "./receipt-table.tsx";

/** One receipt by its id. */
export function Receipts({ id }: { readonly id: string | undefined }) {
  return (
    <>
      <h1>Receipts</h1>
      <form
        class="search"
        onSubmit={(event) => {
          event.preventDefault();
          const given = new FormData(event.currentTarget).get("id");
          if (typeof given === "string" && given.trim() !== "") location.hash = hashOf("receipts", given.trim());
        }}
      >
        <label class="grow">
          <span>Id of a receipt</span>
          <input name="id" defaultValue={id ?? ""} placeholder="01K…-0" autocomplete="off" spellcheck={false} />
        </label>
        <button class="primary">Show</button>
      </form>
      {id === undefined ? (
        <p class="note">
          Every input of an ingest request gets a receipt at once, and what became of it is told by its id. The receipts
          of a whole batch stand on <a href={hashOf("batches")}>its page</a>.
        </p>
      ) : (
        <Found id={id} />
      )}
    </>
  );
}

function Found({ id }: { readonly id: string }) {
  const { api } = useSession();
  const { value, error } = useLoaded(
    (signal) => api.ask({ path: `/v1/receipts/${encodeURIComponent(id)}`, schema: receiptSchema, signal }),
    [api, id],
  );
  if (error !== undefined) return <ProblemNote error={error} />;
  if (value === undefined) return <p class="soft">Reading …</p>;
  return (
    <Panel title={`Batch ${value.batch_tag}`} aside={<a href={hashOf("batches", value.batch_tag)}>open the batch</a>}>
      <ReceiptTable receipts={[value]} />
      <JsonText value={value} label="The receipt as the API gives it" />
    </Panel>
  );
}
