import type { Candidate } from "../body/decoded-body.ts";
import { parseDocument, type DocumentRefusal, type ParseContext, type ParsedDocument } from "../body/parse-document.ts";
import type { WalDocument } from "../contract/wal-record.ts";
import { judgeText } from "../gate/judge-text.ts";

/** One input with its verdict, ready for the WAL. `textBytes` is 0 where no text is kept. */
export interface JudgedInput {
  readonly document: WalDocument;
  readonly textBytes: number;
}

/** Judges every input of a request by itself: one bad input changes nothing for the others. Of two with the same identity the first wins. */
export function judgeInputs(candidates: readonly Candidate[], context: ParseContext): JudgedInput[] {
  const seen = new Set<string>();
  return candidates.map((candidate, index) => {
    const owner = { userId: context.boundUserId, tier: "doc", source: "" } as const;
    if ("reason" in candidate) return refused({ documentId: "", reasons: [candidate.reason] }, index, owner);
    const parsed = parseDocument(candidate.value, context);
    return parsed.ok ? judgeDocument(parsed.value, index, seen) : refused(parsed.error, index, owner);
  });
}

function judgeDocument(document: ParsedDocument, index: number, seen: Set<string>): JudgedInput {
  const judgement = judgeText(document.text, document.tier);
  if (judgement.verdict === "rejected")
    return refused({ documentId: document.id, reasons: judgement.reasons }, index, document);
  const identity = JSON.stringify([document.userId, document.tier, document.id]);
  if (seen.has(identity))
    return refused({ documentId: document.id, reasons: [{ code: "duplicate_id_in_request" }] }, index, document);
  seen.add(identity);
  return {
    document: {
      document_index: index,
      document_id: document.id,
      user_id: document.userId,
      tier: document.tier,
      source: document.source,
      title: document.title,
      metadata: document.metadata,
      occurred_at_ms: document.occurredAtMs,
      text: document.text,
      verdict: judgement.verdict,
      reasons: judgement.reasons,
    },
    textBytes: judgement.textBytes,
  };
}

/** What is kept of a rejected input: which one it was and why. Its content, title and metadata are not stored. */
function refused(
  refusal: DocumentRefusal,
  index: number,
  document: Pick<ParsedDocument, "userId" | "tier" | "source">,
): JudgedInput {
  return {
    document: {
      document_index: index,
      document_id: refusal.documentId,
      user_id: document.userId,
      tier: document.tier,
      source: document.source,
      title: "",
      metadata: {},
      occurred_at_ms: null,
      text: null,
      verdict: "rejected",
      reasons: [...refusal.reasons],
    },
    textBytes: 0,
  };
}
