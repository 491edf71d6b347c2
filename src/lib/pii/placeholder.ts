import { PII_TYPES, type PiiSpan, type PiiType } from "../contract/pii.ts";
import { matchesOf } from "./match-spans.ts";

/** Longest sealed payload: a 16 KB private key in UTF-8 and base64url, with room. Characters. */
export const PAYLOAD_CHARACTERS_MAX = 40_000;

const TYPES = new Set<string>(PII_TYPES);

/**
 * `[EMAIL_ADDRESS_1]`, or sealed `[EMAIL_ADDRESS:v1.<key id>.<payload>]`; groups: type of a numbered one; type, key id, payload of a sealed
 * one. Global.
 */
export const PLACEHOLDER = new RegExp(
  `\\[(?:([A-Z][A-Z_]{2,24})_\\d{1,6}|([A-Z][A-Z_]{2,24}):v1\\.([0-9a-f]{8})\\.([\\w-]{38,${PAYLOAD_CHARACTERS_MAX}}))\\]`,
  "g",
);

/** True for the name of a type. */
export function isPiiType(name: string | undefined): name is PiiType {
  return name !== undefined && TYPES.has(name);
}

/**
 * The text with sealed placeholders cut down to their type, `[EMAIL_ADDRESS]`: to a model and to a search for words a payload is noise of fifty
 * tokens. Pure.
 */
export function withoutPayloads(text: string): string {
  if (!text.includes(":v1.")) return text;
  return text.replace(PLACEHOLDER, (whole: string, _numbered: unknown, type: string | undefined) =>
    isPiiType(type) ? `[${type}]` : whole,
  );
}

/** The highest number of each type among the numbered placeholders of a text. */
export function highestNumbers(text: string): Map<PiiType, number> {
  const highest = new Map<PiiType, number>();
  if (!text.includes("[")) return highest;
  for (const [whole, type] of matchesOf(text, PLACEHOLDER)) {
    if (!isPiiType(type)) continue;
    const number = Number(whole.slice(type.length + 2, -1));
    highest.set(type, Math.max(number, highest.get(type) ?? 0));
  }
  return highest;
}

/** Spans that touch no placeholder: what was redacted is not found again, so that redacting twice changes nothing. */
export function outsidePlaceholders(text: string, spans: readonly PiiSpan[]): readonly PiiSpan[] {
  if (spans.length === 0 || !text.includes("[")) return spans;
  const taken: { readonly start: number; readonly end: number }[] = [];
  for (const match of matchesOf(text, PLACEHOLDER)) {
    if (isPiiType(match[1] ?? match[2])) taken.push({ start: match.index, end: match.index + match[0].length });
  }
  if (taken.length === 0) return spans;
  let next = 0;
  return [...spans]
    .sort((a, b) => a.start - b.start)
    .filter((span) => {
      while (next < taken.length && (taken[next]?.end ?? 0) <= span.start) next += 1;
      return (taken[next]?.start ?? Number.POSITIVE_INFINITY) >= span.end;
    });
}
