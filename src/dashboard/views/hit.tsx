import type { SearchHit } from "../../lib/contract/search.ts";
import { Badge } from "../parts/badge.tsx";
import { MarkedText } from "../parts/marked-text.tsx";
import { countText, timeText } from "../service/format.ts";
import { hashOf } from "../service/use-hash.ts";

/** One passage: its words with those of the query marked, where it stands, and what its score is made of. */
export function Hit({ hit, query }: { readonly hit: SearchHit; readonly query: string }) {
  return (
    <li class="hit">
      <header>
        <Badge tone="info">{hit.tier}</Badge>
        <strong>{hit.title === null || hit.title === "" ? hit.document_id : hit.title}</strong>
        <span class="score" title="score">
          {hit.score.toFixed(3)}
        </span>
      </header>
      <MarkedText text={hit.text} query={query} />
      <p class="soft small">
        {hit.source !== null && <>{hit.source} · </>}
        {hit.user_id !== null && <>of {hit.user_id} · </>}
        {hit.occurred_at !== null && <>{timeText(hit.occurred_at)} · </>}
        document <code>{hit.document_id}</code>, characters {countText(hit.start_offset)} to {countText(hit.end_offset)}{" "}
        · <a href={hashOf("receipts", hit.receipt)}>receipt</a>
      </p>
      {hit.score_parts !== undefined && <ScoreParts parts={hit.score_parts} />}
    </li>
  );
}

/** Parts that say something only when they are not what they are for most hits. */
const USUAL: Readonly<Record<string, number>> = {
  tier_weight: 1,
  recency: 0,
  exact_match: 0,
  speaker: 0,
  next_turn: 0,
  session: 0,
  time_window: 0,
};

function ScoreParts({ parts }: { readonly parts: NonNullable<SearchHit["score_parts"]> }) {
  const shown = Object.entries(parts).filter(([name, value]) => value !== null && value !== USUAL[name]);
  return (
    <details>
      <summary>why it came</summary>
      <dl class="parts">
        {shown.map(([name, value]) => (
          <div>
            <dt>{name.replaceAll("_", " ")}</dt>
            <dd>{Number.isInteger(value) ? value : value?.toFixed(3)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
