import { useState } from "preact/hooks";
import { z } from "zod";
import { quarantinedSchema, type Quarantined } from "../../lib/contract/quarantine.ts";
import { State } from "../parts/badge.tsx";
import { Empty } from "../parts/empty.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { Tabs } from "../parts/tabs.tsx";
import { sizeText, timeText } from "../service/format.ts";
import { useSession } from "../service/session.ts";
import { hashOf } from "../service/use-hash.ts";
import { useLoaded } from "../service/use-loaded.ts";
import { HeldInput } from "./held-input.tsx";

const listSchema = z.object({ quarantined: z.array(quarantinedSchema) });
const STATES = ["held", "released", "purged"] as const;
const ROWS = 100;

/** Inputs that wait for a decision, and those that were decided. */
export function Quarantine({ id }: { readonly id: string | undefined }) {
  const { api } = useSession();
  const [state, setState] = useState<string>("held");
  const path = `/v1/quarantine?state=${state}&limit=${ROWS}`;
  const { value, error, reload } = useLoaded(
    async (signal) => (await api.ask({ path, schema: listSchema, signal })).quarantined,
    [api, path],
  );
  return (
    <>
      <h1>Quarantine</h1>
      {id !== undefined && <HeldInput id={id} key={id} onDecided={reload} />}
      <Tabs label="State" names={STATES} chosen={state} onChoose={setState} />
      {error !== undefined && <ProblemNote error={error} />}
      {value?.length === 0 &&
        (state === "held" ? (
          <Empty title="Nothing is held back">
            Inputs that the quality gate doubts, or whose personal data the policy does not let in, wait here until
            somebody decides.
          </Empty>
        ) : (
          <Empty title={`Nothing was ${state}`}>
            Decisions stand here with their note, also after the text is gone.
          </Empty>
        ))}
      {value !== undefined && value.length > 0 && <HeldTable inputs={value} chosenId={id} />}
    </>
  );
}

interface HeldTableProps {
  readonly inputs: readonly Quarantined[];
  readonly chosenId: string | undefined;
}

function HeldTable({ inputs, chosenId }: HeldTableProps) {
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">input</th>
            <th scope="col">reasons</th>
            <th scope="col">source</th>
            <th scope="col" class="right">
              size
            </th>
            <th scope="col">since</th>
            <th scope="col">state</th>
          </tr>
        </thead>
        <tbody>
          {inputs.map((each) => (
            <tr key={each.quarantine_id} class={each.quarantine_id === chosenId ? "chosen" : ""}>
              <td>
                <a href={hashOf("quarantine", each.quarantine_id)}>
                  {each.document_id === "" ? "without an id" : each.document_id}
                </a>
              </td>
              <td>{each.reasons.map(({ code }) => code).join(", ")}</td>
              <td>{each.source === "" ? "–" : each.source}</td>
              <td class="right">{sizeText(each.size_bytes)}</td>
              <td class="soft nowrap">{timeText(each.created_at)}</td>
              <td>
                <State word={each.state} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
