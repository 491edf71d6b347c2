import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Frame } from "../../../src/lib/contract/session.ts";
import type { WalDocument } from "../../../src/lib/contract/wal-record.ts";
import {
  documentOfEvent,
  eventDocumentId,
  eventMetadata,
  payloadHash,
  seqOfDocumentId,
  storedEventOf,
} from "../../../src/lib/session/stored-event.ts";

const FRAME: Frame = {
  seq: 7,
  at_ms: 1_700_000_000_000,
  role: "assistant",
  speaker: "Jeeves",
  text: "Very good, sir.",
};
const PLACE = { tenantId: "t", userId: "ann", sessionId: "s", source: "session", documentIndex: 3, context: "" };

function judged(frame: Frame, more: Partial<WalDocument> = {}): WalDocument {
  return {
    document_index: 3,
    document_id: eventDocumentId("s", frame.seq),
    user_id: "ann",
    tier: "event",
    source: "session",
    title: "",
    metadata: eventMetadata("s", frame),
    occurred_at_ms: frame.at_ms,
    text: frame.text,
    verdict: "accepted",
    reasons: [],
    ...more,
  };
}

describe("a stored event", () => {
  it("gives back the document that was judged", () => {
    const metadata = fc.dictionary(
      fc.stringMatching(/^[a-z]{1,8}$/),
      fc.oneof(fc.string(), fc.integer(), fc.boolean()),
    );
    fc.assert(
      fc.property(metadata, fc.string({ unit: "grapheme" }), (own, text) => {
        const { seq: _seq, role: _role, speaker: _speaker, session_id: _session, ...rest } = own;
        const document = judged({ ...FRAME, text, metadata: rest });
        expect(documentOfEvent(storedEventOf(7, document, 0), PLACE)).toEqual(document);
      }),
    );
  });

  it("of a refused text has no frame", () => {
    const document = judged(FRAME, {
      text: null,
      occurred_at_ms: null,
      metadata: {},
      verdict: "rejected",
      reasons: [{ code: "x" }],
    });
    const stored = storedEventOf(7, document, 0);
    expect(stored.frame).toBeNull();
    expect(documentOfEvent(stored, { ...PLACE, context: "user: hello" })).toEqual(document);
  });

  it("keeps no speaker that is no name any more, and the system's own metadata wins", () => {
    const document = judged({ ...FRAME, metadata: { session_id: "another", seq: 1 } });
    expect(document.metadata).toMatchObject({ session_id: "s", seq: 7 });
    const redacted = judged(FRAME, { metadata: { ...document.metadata, speaker: "x".repeat(300) } });
    expect(documentOfEvent(storedEventOf(7, redacted, 0), PLACE).metadata["speaker"]).toBeUndefined();
  });
});

describe("the hash of a frame", () => {
  it("does not depend on the order of its keys, and on everything else", () => {
    const a = payloadHash({ ...FRAME, metadata: { a: 1, b: 2 } });
    expect(payloadHash({ ...FRAME, metadata: { b: 2, a: 1 } })).toBe(a);
    const others: Frame[] = [
      { ...FRAME, text: "Very good, Sir." },
      { ...FRAME, at_ms: FRAME.at_ms + 1 },
      { ...FRAME, role: "user" },
      { ...FRAME, metadata: { a: 1, b: 3 } },
      { seq: 7, at_ms: FRAME.at_ms, role: "assistant", text: FRAME.text },
    ];
    expect(new Set([a, ...others.map(payloadHash)]).size).toBe(6);
  });
});

describe("the document id of an event", () => {
  it("tells its seq, whatever the session is called", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 2 ** 50 }), (sessionId, seq) => {
        expect(seqOfDocumentId(eventDocumentId(sessionId, seq))).toBe(seq);
      }),
    );
    expect(["", "s", "s/", "s/x", "s/01", "s/-1"].map(seqOfDocumentId)).toEqual(
      Array.from({ length: 6 }, () => Number.NaN),
    );
  });
});
