import { useEffect, useRef, useState } from "preact/hooks";
import { searchReplySchema, type SearchReply } from "../../lib/contract/search.ts";
import { TIERS } from "../../lib/contract/scope.ts";
import { Empty } from "../parts/empty.tsx";
import { ProblemNote } from "../parts/problem-note.tsx";
import { secondsText } from "../service/format.ts";
import { useSession } from "../service/session.ts";
import { useAction } from "../service/use-action.ts";
import { Hit } from "./hit.tsx";

const K = 10;
const MODES = ["hybrid", "vector", "lexical"] as const;

interface Answer {
  readonly query: string;
  readonly reply: SearchReply;
}

/** Asks the memory, and shows why each passage came. */
export function Search() {
  const { api, key } = useSession();
  const [answer, setAnswer] = useState<Answer | undefined>(undefined);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const { run, isRunning, error } = useAction(async (form: FormData) => {
    const query = textOf(form, "query").trim();
    if (query === "") return;
    const userId = textOf(form, "user_id").trim();
    const tiers = form.getAll("tier");
    const body = {
      query,
      k: K,
      mode: textOf(form, "mode"),
      explain: true,
      ...(userId === "" ? {} : { user_id: userId }),
      ...(tiers.length === 0 || tiers.length === TIERS.length ? {} : { tiers }),
    };
    setAnswer({ query, reply: await api.ask({ path: "/v1/search", method: "POST", body, schema: searchReplySchema }) });
  });
  return (
    <>
      <h1>Search</h1>
      <form
        class="search"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          void run(new FormData(event.currentTarget));
        }}
      >
        <label class="grow">
          <span>Question or words</span>
          <input ref={field} name="query" type="search" autocomplete="off" maxLength={2_000} />
        </label>
        {key.user_id === null && (
          <label>
            <span>User, if also theirs</span>
            <input name="user_id" autocomplete="off" spellcheck={false} maxLength={200} />
          </label>
        )}
        <label>
          <span>By</span>
          <select name="mode">
            {MODES.map((mode) => (
              <option value={mode}>{mode}</option>
            ))}
          </select>
        </label>
        <button class="primary" disabled={isRunning}>
          {isRunning ? "Searching …" : "Search"}
        </button>
        <fieldset>
          <legend>Tiers</legend>
          {TIERS.map((tier) => (
            <label class="inline">
              <input type="checkbox" name="tier" value={tier} defaultChecked /> {tier}
            </label>
          ))}
        </fieldset>
      </form>
      {error !== undefined && <ProblemNote error={error} />}
      {answer !== undefined && <Hits answer={answer} />}
    </>
  );
}

function Hits({ answer: { query, reply } }: { readonly answer: Answer }) {
  const { hits, degraded, path, explain } = reply;
  return (
    <section aria-live="polite" aria-label="Results">
      {degraded.length > 0 && (
        <p class="note warn">
          Answered with less than usual: {degraded.map((code) => code.replaceAll("_", " ")).join(", ")}.
        </p>
      )}
      <p class="soft">
        {hits.length} {hits.length === 1 ? "passage" : "passages"} · {path} search
        {explain !== undefined && (
          <>
            {" "}
            over {explain.scope_chunk_count.toLocaleString("en")} chunks · embedding{" "}
            {secondsText(explain.timings_ms.embed / 1000)} · database {secondsText(explain.timings_ms.database / 1000)}{" "}
            · ranking {secondsText(explain.timings_ms.rank / 1000)}
          </>
        )}
      </p>
      {hits.length === 0 ? (
        <Empty title="Nothing was found">
          Other words, more tiers, or the user whose memory it is. What was just sent is searchable within seconds:{" "}
          <code>min_token</code> waits for it.
        </Empty>
      ) : (
        <ol class="hits">
          {hits.map((hit) => (
            <Hit hit={hit} query={query} key={`${hit.receipt}-${hit.chunk_index}`} />
          ))}
        </ol>
      )}
    </section>
  );
}

function textOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
}
