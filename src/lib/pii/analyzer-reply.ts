import { z } from "zod";
import type { PiiSpan, PiiType } from "../contract/pii.ts";
import { isPiiType } from "./placeholder.ts";

/** Spans of one reply: one for every few characters of the largest document would be a broken analyzer. */
const SPANS_MAX = 100_000;

const replySchema = z
  .array(
    z.looseObject({
      entity_type: z.string().max(100),
      start: z.int().min(0),
      end: z.int().min(0),
      score: z.number().min(0).max(1),
    }),
  )
  .max(SPANS_MAX);

/** Presidio's names of types that have another name here. */
const OWN_NAMES: Readonly<Record<string, PiiType>> = {
  LOCATION: "GPE",
  URL: "DOMAIN_NAME",
  CRYPTO: "CRYPTO_WALLET",
  US_PASSPORT: "PASSPORT",
  ES_NIE: "ES_NIF",
  SG_NRIC_FIN: "SG_NRIC",
  AU_TFN: "AU_TFN",
  PHONE: "PHONE_NUMBER",
  EMAIL: "EMAIL_ADDRESS",
};

/** Offset in UTF-16 units for each offset in code points; undefined where both are the same. */
function utf16Offsets(text: string): readonly number[] | undefined {
  if (!/[\ud800-\udfff]/.test(text)) return undefined;
  const offsets: number[] = [];
  let units = 0;
  for (const character of text) {
    offsets.push(units);
    units += character.length;
  }
  offsets.push(units);
  return offsets;
}

/**
 * Spans of an analyzer's reply for `text`, or undefined where it is no such reply or names a range beyond the text. The reply counts in code
 * points (Python), spans count in UTF-16 units. Types that this system does not know are left out.
 */
export function spansOfReply(reply: unknown, text: string): readonly PiiSpan[] | undefined {
  const parsed = replySchema.safeParse(reply);
  if (!parsed.success) return undefined;
  const offsets = utf16Offsets(text);
  const length = offsets === undefined ? text.length : offsets.length - 1;
  const spans: PiiSpan[] = [];
  for (const { entity_type: name, start, end, score } of parsed.data) {
    if (start >= end || end > length) return undefined;
    const type = OWN_NAMES[name] ?? name;
    if (!isPiiType(type)) continue;
    spans.push({
      type,
      start: offsets?.[start] ?? start,
      end: offsets?.[end] ?? end,
      score,
      detector: `analyzer:${name}`,
    });
  }
  return spans;
}
