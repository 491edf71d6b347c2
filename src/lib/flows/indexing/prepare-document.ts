import { documentUid, versionKey } from "../../base/document-uid.ts";
import { sha256HexSync } from "../../base/hash.ts";
import type { WalDocument } from "../../contract/wal-record.ts";
import { chunkOptionsFor } from "../../chunk/chunk.ts";
import { CHUNKER_VERSION, chunkText } from "../../chunk/chunk-text.ts";
import { EVENT_WORDS_VERSION, eventWords } from "../../lexical/event-words.ts";
import { LEXICAL_VERSION } from "../../lexical/lexeme.ts";
import type { TokenCounter } from "../../model/token-counter.ts";
import { withoutPayloads } from "../../pii/placeholder.ts";

/**
 * A chunk as it will be embedded and stored. `text` is the exact slice of the source; `indexedText` has title, headings and speaker before it,
 * and of sealed placeholders their type alone. Tokens are those of `indexedText`.
 */
export interface PreparedChunk {
  readonly chunkIndex: number;
  readonly startOffset: number;
  readonly endOffset: number;
  readonly text: string;
  /** What stands before the text in `indexedText`, '' for nothing. */
  readonly context: string;
  readonly indexedText: string;
  /**
   * What its stems are made of: the title counts twice, as fields are weighed in BM25F (Cranfield nDCG@10 +0.005); of an event see
   * `eventWords`.
   */
  readonly lexicalText: string;
  readonly tokenCount: number;
  /** SHA-256 of `indexedText`, hexadecimal: equal hashes have equal vectors under one model. */
  readonly chunkHash: string;
}

export interface PreparedDocument {
  readonly document: WalDocument;
  readonly documentUid: string;
  readonly versionKey: string;
  /** SHA-256 of all that would be stored, hexadecimal: equal means `unchanged`. */
  readonly contentHash: string;
  readonly characterCount: number;
}

/** Tokens a title may take of each chunk's budget; longer titles stay out of the indexed text. */
const TITLE_TOKENS_MAX = 48;

/** Identity and content hash of an accepted document. Pure. */
export function prepareDocument(tenantId: string, walId: string, document: WalDocument): PreparedDocument {
  const text = document.text ?? "";
  return {
    document,
    documentUid: documentUid({
      tenantId,
      userId: document.user_id,
      tier: document.tier,
      documentId: document.document_id,
    }),
    versionKey: versionKey(walId, document.document_index),
    contentHash: contentHashOf(document, text),
    characterCount: text.length,
  };
}

/** Versions of the rules that a content hash follows from. */
export interface ContentVersions {
  readonly chunker: string;
  readonly lexical: string;
  readonly eventWords: string;
}

export const CONTENT_VERSIONS: ContentVersions = {
  chunker: CHUNKER_VERSION,
  lexical: LEXICAL_VERSION,
  eventWords: EVENT_WORDS_VERSION,
};

/** SHA-256 of all that would be stored of a document, hexadecimal. Pure. */
export function contentHashOf(
  document: Pick<WalDocument, "tier" | "title" | "source" | "occurred_at_ms" | "metadata" | "context">,
  text: string,
  versions: ContentVersions = CONTENT_VERSIONS,
): string {
  const metadata = Object.entries(document.metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256HexSync(
    JSON.stringify([
      versions.chunker,
      versions.lexical,
      document.title,
      document.source,
      document.occurred_at_ms,
      metadata,
      text,
      ...(document.tier === "event" ? [versions.eventWords, document.context ?? ""] : []),
    ]),
  );
}

/** What the chunker must know of the model. */
export interface ChunkingModel {
  readonly maxInputTokens: number;
  readonly documentPrefix: string;
}

/** Characters of a speaker's name that is embedded with what was said. */
const SPEAKER_LENGTH_MAX = 60;

// "Ann:" before the words of an event: by themselves they do not say whose they are.
export function speakerLineOf(document: Pick<WalDocument, "tier" | "metadata">): string {
  const { speaker: name } = document.metadata;
  if (document.tier !== "event" || typeof name !== "string") return "";
  const speaker = withoutPayloads(name);
  return speaker.trim() === "" || speaker.length > SPEAKER_LENGTH_MAX ? "" : `${speaker.trim()}:`;
}

/** Chunks of a document, in order, each within the model's budget including its title, its headings and its speaker. Pure. */
export function prepareChunks(
  document: WalDocument,
  counter: TokenCounter,
  model: ChunkingModel,
): readonly PreparedChunk[] {
  const source = document.text ?? "";
  const wholeTitle = withoutPayloads(document.title);
  const titleTokens = wholeTitle === "" ? 0 : counter.count(wholeTitle);
  const title = titleTokens <= TITLE_TOKENS_MAX ? wholeTitle : "";
  const speaker = speakerLineOf(document);
  const contextTokens = (title === "" ? 0 : titleTokens) + (speaker === "" ? 0 : counter.count(speaker));
  const prefixTokens = model.documentPrefix === "" ? 0 : counter.count(model.documentPrefix);
  const options = { ...chunkOptionsFor(model.maxInputTokens), reservedTokens: contextTokens + prefixTokens };
  const indexedCounter = { count: (text: string) => counter.count(withoutPayloads(text)) };
  return chunkText(source, indexedCounter, options).map((chunk) => {
    const text = source.slice(chunk.startOffset, chunk.endOffset);
    const headings = withoutPayloads(chunk.context);
    const context = contextOf({ title, headings, speaker });
    const indexedText = indexedTextOf(context, text);
    return {
      chunkIndex: chunk.index,
      startOffset: chunk.startOffset,
      endOffset: chunk.endOffset,
      text,
      context,
      indexedText,
      lexicalText: lexicalTextOf(document, { title, indexedText, isFirst: chunk.index === 0 }),
      tokenCount: chunk.tokenCount + chunk.contextTokenCount + contextTokens,
      chunkHash: sha256HexSync(indexedText),
    };
  });
}

/** What stands before the words of a chunk in its indexed text. Pure. */
export function contextOf(parts: {
  readonly title: string;
  readonly headings: string;
  readonly speaker: string;
}): string {
  const { title, headings, speaker } = parts;
  return [title, headings === title ? "" : headings, speaker].filter((part) => part !== "").join("\n");
}

/** The words that a vector is made of. Pure. */
export function indexedTextOf(context: string, text: string): string {
  return context === "" ? withoutPayloads(text) : `${context}\n${withoutPayloads(text)}`;
}

interface IndexedChunk {
  readonly title: string;
  readonly indexedText: string;
  readonly isFirst: boolean;
}

function lexicalTextOf(document: WalDocument, { title, indexedText, isFirst }: IndexedChunk): string {
  const words = title === "" ? indexedText : `${title}\n${indexedText}`;
  if (document.tier !== "event") return words;
  // What was said before the event was said before its beginning.
  const context = isFirst ? withoutPayloads(document.context ?? "") : "";
  return eventWords({ said: words, context, occurredAtMs: document.occurred_at_ms });
}
