import { describe, expect, it } from "vitest";
import type { WalDocument } from "../../../src/lib/contract/wal-record.ts";
import { noteFrames } from "../../../src/workers/note-frames.ts";

function event(index: number, more: Partial<WalDocument>): WalDocument {
  return {
    document_index: index,
    document_id: `s/${index + 1}`,
    user_id: "ann",
    tier: "event",
    source: "session",
    title: "",
    metadata: {},
    occurred_at_ms: 0,
    text: "said",
    verdict: "accepted",
    reasons: [],
    ...more,
  };
}

describe("what is counted of the frames of a request", () => {
  it("is each answer by its status, and each new event as an input with its verdict, source, reason and personal data", () => {
    const counted: string[] = [];
    const count = (name: string, labels: Readonly<Record<string, string | number>>, by = 1): void =>
      void counted.push(`${name} ${Object.values(labels).join(" ")} ${by}`);
    noteFrames(
      { count },
      {
        reply: {
          ack: 3,
          token: null,
          frames: [
            { seq: 1, status: "repeated" },
            { seq: 2, status: "appended" },
            { seq: 3, status: "rejected" },
          ],
        },
        documents: [
          event(1, { curation: { relaxed_step: 1, pii_counts: { EMAIL_ADDRESS: 2 } } }),
          event(2, { verdict: "rejected", reasons: [{ code: "empty_text" }], text: null }),
        ],
      },
    );
    expect(counted).toEqual([
      "frames_total repeated 1",
      "frames_total appended 1",
      "frames_total rejected 1",
      "ingest_processed_total accepted 1",
      "ingest_processed_total rejected 1",
      "ingest_source_inputs_total session accepted 1",
      "ingest_relaxed_total session 1",
      "pii_spans_total EMAIL_ADDRESS 2",
      "ingest_source_inputs_total session rejected 1",
      "ingest_rejected_total empty_text 1",
    ]);
  });
});
