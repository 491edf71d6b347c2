/** Whether a count may have changed as it did. Rows go by a deletion, and each deletion leaves a record that is counted too. Pure. */
import type { AuditChange, TenantAudit } from "../../contract/audit.ts";

export interface Compared {
  readonly before: TenantAudit;
  readonly after: TenantAudit;
  /** When the audit before began, ISO 8601. */
  readonly since: string;
}

type Verdict = Pick<AuditChange, "verdict" | "reason">;

/** What may have taken rows away, and how it is told. */
const RECORDS = {
  drop: ({ before, after }: Compared) => grew("dropped_batches", before, after),
  erasure: ({ after, since }: Compared) => after.last_erased_at !== null && after.last_erased_at >= since,
  deletion: ({ before, after }: Compared) => grew("documents.deleted", before, after),
  version: ({ before, after }: Compared) => grew("receipts.indexed", before, after),
  session: ({ before, after }: Compared) => grew("sessions_erased", before, after),
} as const;
type RecordName = keyof typeof RECORDS;

const REASONS: Readonly<Record<RecordName, string>> = {
  drop: "a batch was dropped by retention",
  erasure: "a user was erased",
  deletion: "documents were deleted",
  version: "documents got new versions",
  session: "a session was erased",
};

const ROWS: readonly RecordName[] = ["drop", "erasure"];
const LIVE: readonly RecordName[] = ["deletion", "session", "drop", "erasure"];
const PARTS: readonly RecordName[] = [...LIVE, "version"];

/** Which records explain that a count, by the first part of its name, is less than it was. Others never shrink. */
const SHRINKS: ReadonlyMap<string, readonly RecordName[]> = new Map<string, readonly RecordName[]>([
  ["documents", ROWS],
  ["documents.deleted", [...ROWS, "version"]],
  ["documents.live", PARTS],
  ["documents.duplicate", PARTS],
  ["tier", LIVE],
  ["source", PARTS],
  ["sources_other", PARTS],
  ["tokens", PARTS],
  ["characters", PARTS],
  ["chunks", PARTS],
  ["model", PARTS],
  ["signatures", PARTS],
  ["receipts", ["drop", "erasure"]],
  ["batches", ["drop"]],
  ["batch_inputs", ["drop"]],
  ["quarantine", ["erasure"]],
  ["artifacts", [...ROWS, "session"]],
  ["artifact_bytes", [...ROWS, "session"]],
  ["members", [...ROWS, "session"]],
  ["sessions", ["erasure"]],
  ["sessions_erased", ["erasure"]],
  ["profile_versions", ["erasure"]],
]);

/** What comes and goes by itself: decisions, jobs that replace what they made, work that is done. */
const FREE =
  /^(quarantine\.|artifacts\.(pack|backup|snapshot|dictionary|model|report)$|artifact_bytes\.|members$|dead_letters_open$)/;
/** What should not come at all. */
const UNWANTED: ReadonlyMap<string, string> = new Map([
  ["ledger.dead", "ranges of inputs could not be applied"],
  ["receipts.failed", "inputs failed"],
  ["dead_letters_open", "there is work that could not be done"],
]);

export function judgeCount(name: string, compared: Compared): Verdict {
  const { before, after } = compared;
  if (grew(name, before, after)) {
    const unwanted = UNWANTED.get(name);
    return unwanted === undefined
      ? { verdict: "expected", reason: "growth" }
      : { verdict: "alarming", reason: unwanted };
  }
  if (FREE.test(name)) return { verdict: "expected", reason: "it comes and goes" };
  const records = SHRINKS.get(name) ?? SHRINKS.get(name.split(".", 1)[0] ?? "") ?? [];
  const record = records.find((each) => RECORDS[each](compared));
  return record === undefined
    ? { verdict: "alarming", reason: "rows are gone without a record of a deletion" }
    : { verdict: "expected", reason: REASONS[record] };
}

function grew(name: string, before: TenantAudit, after: TenantAudit): boolean {
  return countOf(after, name) > countOf(before, name);
}

/** Names of counts have parts that users chose: one that every object inherits is no count. */
export function countOf({ counts }: TenantAudit, name: string): number {
  return Object.hasOwn(counts, name) ? (counts[name] ?? 0) : 0;
}
