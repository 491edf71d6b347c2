import { LIMITS } from "../../lib/base/limits.ts";
import { sha256HexSync } from "../../lib/base/hash.ts";
import type { DocumentInput } from "../../lib/contract/document.ts";
import type { WalDocument } from "../../lib/contract/wal-record.ts";
import { normaliseText } from "../../lib/curate/normalise-text.ts";
import { type InputDefaults, sourceOf } from "../readers/curate-input.ts";
import type { CorpusDocument } from "./read-corpus.ts";

/** A read document as a client would send it: text normalised, silent fields filled in, lengths kept to. */
export function documentInput(document: CorpusDocument, defaults: InputDefaults): DocumentInput {
  const { title, occurredAt } = document;
  const userId = document.userId ?? defaults.userId;
  const tier = document.tier ?? defaults.tier;
  return {
    id: shortId(document.id),
    text: normaliseText(document.text),
    source: document.source ?? defaults.source ?? sourceOf(document.path),
    ...(title === undefined ? {} : { title: title.slice(0, LIMITS.titleCharactersMax).toWellFormed() }),
    ...(tier === undefined ? {} : { tier }),
    ...(userId === undefined ? {} : { user_id: userId }),
    ...(occurredAt === undefined ? {} : { occurred_at: occurredAt }),
    ...(Object.keys(document.metadata).length === 0 ? {} : { metadata: document.metadata }),
  };
}

/** Paths may be longer than an id: the end of one and a hash of the whole are as unique. */
function shortId(id: string): string {
  if (id.length <= LIMITS.identifierCharactersMax) return id;
  const hash = sha256HexSync(id).slice(0, 16);
  return `${hash}-${id.slice(-(LIMITS.identifierCharactersMax - 17))}`.toWellFormed();
}

/** One line of `curated.jsonl`: what `POST /v1/documents` takes. A text that relaxed thresholds let in is marked with the step. */
export function datasetLine(document: WalDocument): DocumentInput {
  const step = document.curation?.relaxed_step;
  const metadata = step === undefined ? document.metadata : { ...document.metadata, relaxed_step: step };
  return {
    id: document.document_id,
    text: document.text ?? "",
    tier: document.tier,
    ...(document.source === "" ? {} : { source: document.source }),
    ...(document.title === "" ? {} : { title: document.title }),
    ...(document.user_id === "" ? {} : { user_id: document.user_id }),
    ...(document.occurred_at_ms === null ? {} : { occurred_at: new Date(document.occurred_at_ms).toISOString() }),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
  };
}

/** One line of `verdicts.jsonl`: everything about an input but its text. */
export function verdictLine(document: WalDocument, path: string): Readonly<Record<string, unknown>> {
  const { curation } = document;
  return {
    id: document.document_id,
    path,
    source: document.source,
    tier: document.tier,
    verdict: document.verdict,
    reasons: document.reasons,
    characters: curation?.character_count ?? null,
    relaxed_step: curation?.relaxed_step ?? 0,
    duplicate_of: curation?.duplicate_of?.document_id ?? null,
    pii_counts: curation?.pii_counts ?? {},
  };
}
