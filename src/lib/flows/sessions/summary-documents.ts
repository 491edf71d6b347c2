import { type Ulid, ulidFactory } from "../../base/ids.ts";
import type { Metadata } from "../../contract/document.ts";
import type { SealMessage } from "../../contract/queue-message.ts";
import type { WalDocument } from "../../contract/wal-record.ts";
import { sessionBatchTag } from "../../session/batch-tag.ts";
import type { WalHead } from "../../wal/wal-codec.ts";
import type { Sidecar, StoredSummary } from "./sidecar.ts";
import { summaryNames } from "./summary-names.ts";

/** Hexadecimal digits that make the random part of a ulid: sixteen characters of 32 values, one byte each. */
const DIGITS_PER_CHARACTER = 2;

/** Id of the WAL object that a segment's summaries make: from when the segment was made and from its hash, so that a repeat makes the same one. */
export function sealWalId({ created_at_ms: createdAtMs, sha256 }: Pick<SealMessage, "created_at_ms" | "sha256">): Ulid {
  let at = 0;
  const nextOfHash = (): number => {
    const byte = Number.parseInt(sha256.slice(at, at + DIGITS_PER_CHARACTER), 16);
    at += DIGITS_PER_CHARACTER;
    return byte / 256;
  };
  return ulidFactory(() => createdAtMs, nextOfHash)();
}

/** Head of that WAL object. The rules are those that judged the segment's events: its texts are theirs. */
export function sealHead(message: SealMessage): WalHead {
  return {
    version: 1,
    tenant_id: message.tenant_id,
    wal_id: sealWalId(message),
    batch_tag: sessionBatchTag({
      tenantId: message.tenant_id,
      userId: message.user_id,
      sessionId: message.session_id,
    }),
    received_at_ms: message.created_at_ms,
    request_id: message.request_id,
    gate_version: message.gate_version,
    pii_version: message.pii_version,
    policy_version: message.policy_version,
    origin: "session",
  };
}

/** What is said of a segment, for the document of its name. */
interface Described {
  readonly text: string;
  readonly metadata: Metadata;
  readonly series?: { readonly series: string; readonly series_position: number };
}

function summary(metadata: Metadata, { text, members, method }: StoredSummary): Described {
  return { text, metadata: { ...metadata, members, method } };
}

/**
 * What becomes searchable of a segment: its summary, that of its session so far, its description. The roll-ups of a session are versions of one thing:
 * documents of one series, each valid until the next one's time, so that a search as of a day finds the one of that day.
 */
export function summaryDocuments(message: SealMessage, sidecar: Sidecar): readonly WalDocument[] {
  const { session_id: sessionId, first_seq, last_seq } = message;
  const { segment, session, description, artifact_id } = sidecar;
  const place = { session_id: sessionId, first_seq, last_seq };
  const roll = { ...place, first_seq: session.first_seq, segments: session.segment_count };
  // In the order of their names.
  const described: readonly Described[] = [
    summary(place, segment),
    {
      ...summary(roll, session.summary),
      series: { series: `${sessionId}/summary`, series_position: last_seq },
    },
    { text: description ?? "", metadata: { ...place, artifact_id, events: sidecar.event_count } },
  ];
  return summaryNames(sessionId, { artifact_id, first_seq, last_seq })
    .flatMap((name, index) => {
      const each = described[index];
      return each === undefined || each.text === "" ? [] : [{ ...name, ...each }];
    })
    .map((each, index) => documentFrom(each, { index, message, sidecar }));
}

function documentFrom(
  { tier, documentId, text, metadata, series }: Described & ReturnType<typeof summaryNames>[number],
  { index, message, sidecar }: { readonly index: number; readonly message: SealMessage; readonly sidecar: Sidecar },
): WalDocument {
  return {
    document_index: index,
    document_id: documentId,
    user_id: message.user_id,
    tier,
    source: message.source,
    title: sidecar.title,
    metadata,
    occurred_at_ms: message.last_at_ms,
    text,
    ...series,
    verdict: "accepted",
    reasons: [],
  };
}
