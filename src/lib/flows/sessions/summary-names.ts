import type { Tier } from "../../contract/scope.ts";

/** Where in its session a segment lies, and what it is as an artifact. */
export interface SegmentPlace {
  readonly artifact_id: string;
  readonly first_seq: number;
  readonly last_seq: number;
}

/** Documents that are made of a segment: its summary, the summary of its session up to it, its description. */
export function summaryNames(
  sessionId: string,
  { artifact_id: artifactId, first_seq: firstSeq, last_seq: lastSeq }: SegmentPlace,
): readonly { readonly documentId: string; readonly tier: Tier }[] {
  return [
    { documentId: `${sessionId}/summary/${firstSeq}`, tier: "summary" },
    { documentId: `${sessionId}/summary/to/${lastSeq}`, tier: "summary" },
    { documentId: artifactId, tier: "artifact" },
  ];
}
