import { utf8Bytes } from "../../base/bytes.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Metadata } from "../../contract/document.ts";
import type { PiiPolicy, PiiSpan } from "../../contract/pii.ts";
import type { Reason } from "../../contract/verdict.ts";
import { spansToRedact } from "../../pii/apply-policy.ts";
import type { PiiFinder } from "../../pii/find-for-policy.ts";
import { SEALED_VALUE_BYTES_MAX, sealedSize, type SealedSize, type Sealer } from "../../pii/seal.ts";
import { mapMetadataStrings, metadataStrings } from "./metadata-strings.ts";

/** The parts of a document that may hold personal data, as they came. */
export interface Content {
  readonly text: string;
  readonly title: string;
  readonly metadata: Metadata;
}

/** A content with the spans to seal in each of its texts, and how large it becomes. */
export interface SealPlan {
  readonly content: Content;
  readonly hidden: ReadonlyMap<string, readonly PiiSpan[]>;
  readonly textBytes: number;
  /** Bytes of text, title and metadata together. */
  readonly sizeBytes: number;
  /** Why it cannot be sealed: a part grows past its limit, or a value is longer than a placeholder takes. */
  readonly refusal: Reason | undefined;
}

/** Looks for what is to be sealed. `findInText` serves the text, which an external analyzer may have seen; `find` title and metadata. Pure. */
export function planSealing(
  content: Content,
  policy: PiiPolicy,
  { find, findInText = find }: { readonly find: PiiFinder; readonly findInText?: PiiFinder },
): SealPlan {
  const hidden = new Map<string, readonly PiiSpan[]>();
  for (const text of [content.title, ...metadataStrings(content.metadata)])
    hidden.set(text, spansToRedact(find(text), policy));
  hidden.set(content.text, spansToRedact(findInText(content.text), policy));
  const sizeOf = (text: string) => sealedSize(text, hidden.get(text) ?? []);
  const [text, title] = [sizeOf(content.text), sizeOf(content.title)];
  const strings = metadataStrings(content.metadata);
  const metadata = sumOf(strings.map(sizeOf));
  const grownBytes = metadata.sizeBytes - sumOf(strings.map((value) => sealedSize(value, []))).sizeBytes;
  const metadataBytes = utf8Bytes(JSON.stringify(content.metadata)).length + grownBytes;
  const isTouched = [...hidden.values()].some((spans) => spans.length > 0);
  const longestValueBytes = Math.max(...[text, title, metadata].map((size) => size.longestValueBytes));
  const refusal =
    tooLarge(longestValueBytes, SEALED_VALUE_BYTES_MAX, "value") ??
    tooLarge(text.sizeBytes, LIMITS.documentBytesMax, "/text") ??
    tooLarge(title.sizeBytes, LIMITS.sealedTitleBytesMax, "/title") ??
    tooLarge(metadataBytes, LIMITS.sealedMetadataBytesMax, "/metadata");
  return {
    content,
    hidden,
    textBytes: text.sizeBytes,
    sizeBytes: text.sizeBytes + title.sizeBytes + metadataBytes,
    refusal: isTouched ? refusal : undefined,
  };
}

function sumOf(sizes: readonly SealedSize[]): SealedSize {
  return {
    sizeBytes: sizes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    longestValueBytes: Math.max(0, ...sizes.map(({ longestValueBytes }) => longestValueBytes)),
  };
}

function tooLarge(measure: number, threshold: number, detail: string): Reason | undefined {
  return measure > threshold ? { code: "sealed_too_large", measure, threshold, detail } : undefined;
}

/** The content with a sealed placeholder for each span of the plan. */
export async function sealContent({ content, hidden }: SealPlan, sealer: Sealer): Promise<Content> {
  const sealed = new Map<string, string>();
  for (const [text, spans] of hidden) if (spans.length > 0) sealed.set(text, await sealer.seal(text, spans));
  const replace = (text: string): string => sealed.get(text) ?? text;
  return {
    text: replace(content.text),
    title: replace(content.title),
    metadata: mapMetadataStrings(content.metadata, replace),
  };
}
