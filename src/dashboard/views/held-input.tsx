import { useState } from "preact/hooks";
import {
  inspectedSchema,
  purgeReplySchema,
  releaseReplySchema,
  type Inspected,
} from "../../lib/contract/quarantine.ts";
import { Badge, State } from "../parts/badge.tsx";
import { Confirm } from "../parts/confirm.tsx";
import { Panel } from "../parts/panel.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { sizeText, timeText } from "../service/format.ts";
import { mayUse, useSession } from "../service/session.ts";
import { useAction } from "../service/use-action.ts";
import { hashOf } from "../service/use-hash.ts";
import { useLoaded } from "../service/use-loaded.ts";

/** One quarantined input with the start of its text, and the two decisions. */
export function HeldInput({ id, onDecided }: { readonly id: string; readonly onDecided: () => void }) {
  const { api } = useSession();
  const path = `/v1/quarantine/${encodeURIComponent(id)}`;
  const { value, error, reload } = useLoaded(
    (signal) => api.ask({ path, schema: inspectedSchema, signal }),
    [api, path],
  );
  if (error !== undefined) return <ProblemNote error={error} />;
  if (value === undefined) return <p class="soft">Reading the input …</p>;
  const decided = (): void => {
    reload();
    onDecided();
  };
  return (
    <Panel
      title={value.document_id === "" ? "Input without an id" : value.document_id}
      aside={<State word={value.state} />}
    >
      <Facts input={value} />
      <Preview input={value} />
      {value.state === "held" && <Decide path={path} onDecided={decided} />}
    </Panel>
  );
}

type Decision = "release" | "purge";

function Decide({ path, onDecided }: { readonly path: string; readonly onDecided: () => void }) {
  const { api, key } = useSession();
  const [asked, setAsked] = useState<Decision | undefined>(undefined);
  const [note, setNote] = useState("");
  const { run, isRunning, error } = useAction(async (decided: Decision) => {
    setAsked(undefined);
    if (decided === "release")
      await api.ask({ path: `${path}/release`, method: "POST", body: { note }, schema: releaseReplySchema });
    else
      await api.ask({ path: `${path}?note=${encodeURIComponent(note)}`, method: "DELETE", schema: purgeReplySchema });
    onDecided();
  });
  if (!mayUse(key, "admin"))
    return (
      <p class="note">
        Deciding needs a key with the scope <code>admin</code>.
      </p>
    );
  const confirmed = { onConfirm: () => void run(asked ?? "release"), onCancel: () => setAsked(undefined) };
  return (
    <>
      {error !== undefined && <ProblemNote error={error} />}
      <label class="field">
        <span>Note on the decision. It stays after the text is gone: no place for what the text says.</span>
        <input value={note} maxLength={500} onInput={(event) => setNote(event.currentTarget.value)} />
      </label>
      <div class="actions">
        <button type="button" class="primary" disabled={isRunning} onClick={() => setAsked("release")}>
          Release
        </button>
        <button type="button" class="danger" disabled={isRunning} onClick={() => setAsked("purge")}>
          Purge
        </button>
      </div>
      {asked === "release" && (
        <Confirm title="Let this input in?" action="Release" {...confirmed}>
          <p>It is indexed like any other input, redacted by the policy of now.</p>
        </Confirm>
      )}
      {asked === "purge" && (
        <Confirm title="Remove its text for good?" action="Purge" isDangerous {...confirmed}>
          <p>Nobody can bring the text back. The record of the decision stays.</p>
        </Confirm>
      )}
    </>
  );
}

function Facts({ input }: { readonly input: Inspected }) {
  return (
    <>
      <ul class="legend">
        {input.reasons.map((reason) => (
          <li>
            <Badge tone="warn">{reason.code}</Badge>{" "}
            {reason.measure !== undefined && (
              <span class="soft small">
                {Number(reason.measure.toFixed(3))}
                {reason.threshold !== undefined && <> where {Number(reason.threshold.toFixed(3))} is the limit</>}
              </span>
            )}
          </li>
        ))}
      </ul>
      <p class="soft">
        {input.tier}
        {input.source !== "" && <> from {input.source}</>}
        {input.user_id !== null && <> of {input.user_id}</>}, {sizeText(input.size_bytes)}, batch{" "}
        <a href={hashOf("batches", input.batch_tag)}>{input.batch_tag}</a>, since {timeText(input.created_at)}
        {input.decided_at !== null && (
          <>
            ; decided {timeText(input.decided_at)} by {input.decided_by}
            {input.decision_note !== "" && <>: {input.decision_note}</>}
          </>
        )}
        {input.released_as !== null && (
          <>
            {" "}
            · <a href={hashOf("receipts", input.released_as)}>receipt</a>
          </>
        )}
      </p>
    </>
  );
}

function Preview({ input }: { readonly input: Inspected }) {
  if (input.preview === null)
    return (
      <p class="note">The text was removed{input.text_removed_at !== null && ` ${timeText(input.text_removed_at)}`}.</p>
    );
  return (
    <>
      {input.title_preview !== null && input.title_preview !== "" && <h3>{input.title_preview}</h3>}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls has to be reached by the keyboard */}
      <pre class="passage" tabIndex={0} role="region" aria-label="Start of the text, personal data masked">
        {input.preview}
        {!input.is_whole && " …"}
      </pre>
      {Object.keys(input.pii_counts).length > 0 && (
        <p class="soft small">
          Masked:{" "}
          {Object.entries(input.pii_counts)
            .map(([type, count]) => `${count} ${type}`)
            .join(", ")}
        </p>
      )}
    </>
  );
}
