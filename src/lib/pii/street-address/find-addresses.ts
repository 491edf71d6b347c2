import type { PiiSpan, PiiType } from "../../contract/pii.ts";
import { type Detector, hasDigit } from "../detector.ts";
import { BOX, CORNER, HEAD_NUMBER, STREET_ALONE, UNIT_BEFORE } from "./grammar.ts";
import { type Address, continueAddress, parseAddress, type Range } from "./parse-address.ts";
import { matchesOf } from "../match-spans.ts";

const DETECTOR = "street-address";
/** A street between two numbers counts only where something says that it is an address. */
const ADDRESS_BEFORE =
  /(?:^|\n[ \t>?]*|\b(?:at|on|in|address(?:es)?(?: is|:)?|lives? (?:at|on|in)|lived in|to|is|with|corner of|user:|located at|returned? to|arrived at|are:|and|it's|now in|side of|street|apt\.? \d{1,5}|suite \d{1,5})[:,]?\s{1,3}|[,:]\s{0,2})$/i;
const STREET_WORD =
  /[^\d\s]\s?(?:street|st|road|rd|ave|avenue|drive|dr|lane|square|strasse|straße|str)\b|\b(?:box|rue|via|rua|ul)\b/i;

/** Nothing but the marks of a quoted message between a line break, or the start of the text, and the address. */
const STARTS_LINE = /(?:^|\n)[\s>?]{0,12}$/;

/** UTF-16 units before an address in which a word can say that it is one. */
const CONTEXT = 24;

function span(type: PiiType, { start, end }: Range, score: number): PiiSpan {
  return { type, start, end, score, detector: DETECTOR };
}

function isTold(text: string, address: Address): boolean {
  const start = address.lead?.start ?? address.street.start;
  if (address.units.length > 0 || address.postcodes.length > 0) return true;
  return ADDRESS_BEFORE.test(text.slice(Math.max(0, start - CONTEXT), start));
}

/** True where the address is to be reported by its parts: written line by line, or no more than number, street and town. */
function isInParts(text: string, { lead, street, units, places, postcodes, isBlock }: Address): boolean {
  const start = lead?.start ?? street.start;
  const before = text.slice(Math.max(0, start - CONTEXT), start);
  if (isBlock) return STARTS_LINE.test(before) && !/address:\s*$/i.test(before);
  return units.length === 0 && postcodes.length === 0 && places.length <= 1;
}

/**
 * The spans of one address. Within a sentence it is one span up to its country. Written line by line, or as number, street and town, its parts
 * are spans of their own, the towns and countries GPE.
 */
function spansOf(text: string, address: Address, score: number): readonly PiiSpan[] {
  const start = address.lead?.start ?? address.street.start;
  if (!isInParts(text, address)) return [span("STREET_ADDRESS", { start, end: address.end }, score)];
  const parts = [address.lead, address.street, ...address.units, ...address.postcodes].filter(
    (part) => part !== undefined,
  );
  return [
    ...parts.map((part) => span("STREET_ADDRESS", part, score)),
    ...address.places.map((place) => span("GPE", place, score - 0.05)),
  ];
}

function addressesAtNumbers(text: string): readonly PiiSpan[] {
  const spans: PiiSpan[] = [];
  let reached = 0;
  for (const match of matchesOf(text, HEAD_NUMBER)) {
    if (match.index < reached) continue;
    const unit = UNIT_BEFORE.exec(text.slice(Math.max(0, match.index - CONTEXT), match.index))?.[0];
    if (unit !== undefined) {
      const range = { start: match.index - unit.length, end: match.index + match[0].length };
      spans.push(span("STREET_ADDRESS", range, 0.91));
      continue;
    }
    const address = parseAddress(text, { start: match.index, end: match.index + match[0].length });
    if (address === undefined) continue;
    const hasWord = STREET_WORD.test(text.slice(address.street.start, address.street.end));
    if (!hasWord && !isTold(text, address)) continue;
    spans.push(...spansOf(text, address, 0.92));
    reached = address.end;
  }
  return spans;
}

function otherAddresses(text: string): readonly PiiSpan[] {
  const spans: PiiSpan[] = [];
  for (const match of matchesOf(text, CORNER)) {
    spans.push(span("STREET_ADDRESS", { start: match.index, end: match.index + match[0].length }, 0.95));
  }
  for (const match of matchesOf(text, BOX)) {
    const address = continueAddress(text, undefined, { start: match.index, end: match.index + match[0].length });
    spans.push(span("STREET_ADDRESS", { start: match.index, end: address.end }, 0.91));
  }
  for (const pattern of STREET_ALONE) {
    for (const match of matchesOf(text, pattern)) {
      const address = continueAddress(text, undefined, { start: match.index, end: match.index + match[0].length });
      spans.push(...spansOf(text, address, 0.9));
    }
  }
  return spans;
}

/** Street addresses, post boxes and military addresses. */
export const streetAddressDetector: Detector = {
  name: DETECTOR,
  types: ["STREET_ADDRESS", "GPE"],
  mayFind: (text) => hasDigit(text) || /[Ss]treet|Road|Avenue|\bSt\b/.test(text),
  find: (text) => [...addressesAtNumbers(text), ...otherAddresses(text)],
};
