import { duplicateScopeKey } from "../../duplicates/duplicate-scope.ts";
import { LIMITS } from "../../base/limits.ts";
import type { SketchedDocument } from "./duplicate-document.ts";
import { duplicateContextOf } from "./find-stored-duplicates.ts";
import type { PreparedDocument } from "./prepare-document.ts";
import type { PreparedRange } from "./prepare-range.ts";

/** Bounds of what is embedded and committed together. No more of text and documents than the largest range alone has, which bounds the chunks too. */
export const TOGETHER_LIMITS = {
  /** Ranges of one transaction: five statements each, beside some ten for all. */
  rangesMax: 32,
  /** Documents of all of them. */
  documentsMax: LIMITS.rangeDocumentsMax,
  /** Characters of their new texts. */
  charactersMax: LIMITS.rangeTextBytesMax,
  /** Characters of one range that does not go alone. Above that its own embedding is the longest part, and nothing small should wait for it. */
  rangeCharactersMax: 8 * 1024,
} as const;

interface InHand {
  readonly prepared: PreparedRange;
}

export interface RangeGroups<R> {
  /** Each to be finished at once, the groups in any order. */
  readonly together: readonly (readonly R[])[];
  /** To be applied one by one, in this order and prepared anew, once the groups have ended: each touches what an earlier range touches. */
  readonly after: readonly R[];
}

/**
 * Parts ranges into groups that have the same effect together as one after the other in the order of their requests. Who touches a document, a series
 * or the like of a text that an earlier one touches waits for it; ranges above the bounds are groups of their own. Pure.
 */
export function groupRanges<R extends InHand>(inHand: readonly R[], limits = TOGETHER_LIMITS): RangeGroups<R> {
  const touched = { written: new Set<string>(), read: new Set<string>() };
  const independent: R[] = [];
  const after: R[] = [];
  for (const each of inHand.toSorted((a, b) => compareRequests(a.prepared, b.prepared))) {
    const { written, read } = touchedBy(each.prepared);
    const isFree =
      written.every((key) => !touched.written.has(key) && !touched.read.has(key)) &&
      read.every((key) => !touched.written.has(key));
    (isFree ? independent : after).push(each);
    // Whoever waits is waited for as well.
    for (const key of written) touched.written.add(key);
    for (const key of read) touched.read.add(key);
  }
  const alike = Map.groupBy(independent, ({ prepared: { message, model } }) => `${message.tenant_id} ${model.modelId}`);
  return { together: [...alike.values()].flatMap((ranges) => fill(ranges, limits)), after };
}

function compareRequests({ message: a }: PreparedRange, { message: b }: PreparedRange): number {
  if (a.wal_id !== b.wal_id) return a.wal_id < b.wal_id ? -1 : 1;
  return a.range_index - b.range_index;
}

function fill<R extends InHand>(ranges: readonly R[], limits: typeof TOGETHER_LIMITS): readonly (readonly R[])[] {
  const alone: R[][] = [];
  const groups: R[][] = [];
  let [documentCount, characterCount] = [0, 0];
  for (const range of ranges) {
    const documents = range.prepared.documents.length;
    const characters = range.prepared.fresh.reduce((sum, each) => sum + each.characterCount, 0);
    if (characters > limits.rangeCharactersMax) {
      alone.push([range]);
      continue;
    }
    const last = groups.at(-1);
    const hasRoom =
      last !== undefined &&
      last.length < limits.rangesMax &&
      documentCount + documents <= limits.documentsMax &&
      characterCount + characters <= limits.charactersMax;
    if (hasRoom) last.push(range);
    else groups.push([range]);
    documentCount = (hasRoom ? documentCount : 0) + documents;
    characterCount = (hasRoom ? characterCount : 0) + characters;
  }
  return [...groups, ...alone];
}

interface Touched {
  readonly written: readonly string[];
  readonly read: readonly string[];
}

/** Names of what applying a range changes, and of what it was judged by. */
function touchedBy({ message, head, unchanged, duplicates, fresh }: PreparedRange): Touched {
  const documents = [...unchanged, ...duplicates, ...fresh];
  return {
    written: [
      `range ${message.tenant_id} ${message.wal_id} ${message.range_index}`,
      ...documents.map(({ documentUid }) => documentKey(documentUid)),
      ...documents.flatMap((document) => seriesKeys(message.tenant_id, document)),
      ...fresh.flatMap((document) => likenessKeys(head, document)),
    ],
    read: duplicates.map(({ originalUid }) => documentKey(originalUid)),
  };
}

function documentKey(documentUid: string): string {
  return `document ${documentUid}`;
}

function seriesKeys(tenantId: string, { document: { user_id: userId, series } }: PreparedDocument): readonly string[] {
  return series === undefined ? [] : [`series ${JSON.stringify([tenantId, userId, series])}`];
}

/** Two that share none of these are no duplicates of each other. What a search has shown (`findReturnedTexts`) was in the store before it was said. */
function likenessKeys(head: PreparedRange["head"], { document, sketch }: SketchedDocument): readonly string[] {
  if (sketch === undefined) return [];
  const scope = duplicateScopeKey(duplicateContextOf(head, document));
  const bands = head.duplicates === "near" ? sketch.bands : [];
  return [`text ${scope} ${sketch.normalisedHash}`, ...bands.map((band) => `band ${scope} ${band}`)];
}
