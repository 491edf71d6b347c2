import { useState } from "preact/hooks";
import type { PackedRecord } from "../../reader/read-pack.ts";
import type { SegmentEvent } from "../../reader/read-segment.ts";
import { Badge } from "../parts/badge.tsx";
import { JsonText } from "../parts/json-text.tsx";
import { countText, timeText } from "../service/format.ts";
import type { OpenedArtifact } from "../service/open-artifact.ts";

/** Rows that are drawn at once. */
const SHOWN = 50;

export function ArtifactContent({ opened }: { readonly opened: OpenedArtifact }) {
  switch (opened.kind) {
    case "json":
      return <JsonText value={opened.value} label="Content" />;
    case "events":
      return <Events events={opened.events} isSealed={opened.isSealed} />;
    case "records":
      return <Records records={opened.records} recordCount={opened.recordCount} />;
    case "other":
      return <p class="note">This kind is not shown here. Its bytes are right: the hash is that of the entry.</p>;
  }
}

function Events({ events, isSealed }: { readonly events: readonly SegmentEvent[]; readonly isSealed: boolean }) {
  const [shown, setShown] = useState(SHOWN);
  return (
    <section aria-label="Events">
      <p class="soft">
        {countText(events.length)} events, checksums right{" "}
        {isSealed ? <Badge tone="good">sealed</Badge> : <Badge tone="warn">cut off: these are its whole events</Badge>}
      </p>
      <ol class="events">
        {events.slice(0, shown).map((event) => (
          <li key={event.seq}>
            <span class="soft small">
              {event.seq} · {event.speaker ?? event.role} · {timeText(new Date(event.at_ms).toISOString())}
            </span>
            <p class="passage">{event.text}</p>
          </li>
        ))}
      </ol>
      <More shown={shown} count={events.length} onMore={setShown} />
    </section>
  );
}

function Records({
  records,
  recordCount,
}: {
  readonly records: readonly PackedRecord[];
  readonly recordCount: number;
}) {
  const [shown, setShown] = useState(SHOWN);
  return (
    <section aria-label="Records">
      <p class="soft">
        {countText(recordCount)} records, digests right
        {records.length < recordCount && `; the first ${countText(records.length)} are here`}
      </p>
      <ul class="records">
        {records.slice(0, shown).map((record) => (
          <li>
            <details>
              <summary>
                {textOf(record["title"]) || textOf(record["document_id"])}{" "}
                <span class="soft small">
                  {[record["tier"], record["source"], record["user_id"]]
                    .map(textOf)
                    .filter((each) => each !== "")
                    .join(" · ")}
                </span>
              </summary>
              <p class="passage">
                {textOf(record["text"]) || record.chunks.map((chunk) => textOf(chunk["text"])).join("\n…\n")}
              </p>
              <JsonText
                value={{ ...record, text: undefined, chunks: record.chunks.length }}
                label="Columns of the record"
              />
            </details>
          </li>
        ))}
      </ul>
      <More shown={shown} count={records.length} onMore={setShown} />
    </section>
  );
}

function More({
  shown,
  count,
  onMore,
}: {
  readonly shown: number;
  readonly count: number;
  readonly onMore: (shown: number) => void;
}) {
  if (shown >= count) return null;
  return (
    <button type="button" onClick={() => onMore(shown + SHOWN)}>
      {countText(Math.min(SHOWN, count - shown))} more
    </button>
  );
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
