/** Kinds of broken references, and what a repair does about each. docs/orphans.md has the same table. */
import type { KeptSession } from "../../db/queries/orphan-rows.ts";
import type { CountedScope } from "../../db/queries/recounts.ts";

/** What mends a finding. `keep`: nothing by itself, because only a restore or a person can, or because it is the last trace of what was lost. */
export type RepairKind =
  | "reenter_document"
  | "delete_chunks"
  | "delete_members"
  | "recount_batch"
  | "recount_scope"
  | "write_report"
  | "write_marker"
  | "keep";

export const ORPHAN_KINDS = {
  document_without_chunks: "reenter_document",
  document_without_text: "keep",
  chunk_without_document: "keep",
  chunk_of_former_version: "delete_chunks",
  chunk_without_vector: "reenter_document",
  member_without_artifact: "delete_members",
  member_without_document: "keep",
  receipt_without_document: "keep",
  artifact_without_members: "keep",
  artifact_without_object: "write_report",
  artifact_of_other_bytes: "write_report",
  held_without_object: "keep",
  session_without_marker: "write_marker",
  batch_counters: "recount_batch",
  batch_ledger: "keep",
  scope_counters: "recount_scope",
  pack_without_row: "keep",
  segment_without_row: "keep",
  summary_without_segment: "keep",
  held_object_without_row: "keep",
  report_without_row: "write_report",
  dictionary_without_row: "keep",
} as const satisfies Readonly<Record<string, RepairKind>>;

export type OrphanKind = keyof typeof ORPHAN_KINDS;

/** What a repair needs to know, where there is one. */
export interface RepairDetail {
  readonly chunks?: { readonly documentUid: string; readonly modelId: number; readonly generation: number };
  readonly documentUid?: string;
  readonly artifactId?: string;
  readonly batchTag?: string;
  /** Of an object without a row. */
  readonly objectKey?: string;
  readonly scope?: CountedScope;
  readonly session?: KeptSession;
}

export interface Finding {
  readonly kind: OrphanKind;
  /** What is broken: an id or a key. It may name a user, so that it stands in no report: `label` does. */
  readonly subject: string;
  /** The same as people are shown it: without names of users. */
  readonly label: string;
  readonly detail: RepairDetail;
}
