import type { PiiKey } from "./pii-key.ts";
import { isPiiType, PLACEHOLDER } from "./placeholder.ts";
import { openValue } from "./seal.ts";

/** A text with its sealed placeholders opened, and what had to stay. */
export interface Revealed {
  readonly text: string;
  readonly openedCount: number;
  /** Placeholders of keys that were not given, by key id. */
  readonly foreignCounts: Readonly<Record<string, number>>;
  /** Placeholders of a given key whose type or payload was changed. */
  readonly brokenCount: number;
  /** Numbered placeholders: they carry no value. */
  readonly numberedCount: number;
}

/** Opens every sealed placeholder that one of the keys opens; the others stay as they are. */
export async function revealText(text: string, keys: readonly PiiKey[]): Promise<Revealed> {
  const parts: string[] = [];
  const foreignCounts: Record<string, number> = {};
  let [openedCount, brokenCount, numberedCount, position] = [0, 0, 0, 0];
  for (const match of text.matchAll(PLACEHOLDER)) {
    const [whole, numberedType, type, keyId = "", payload = ""] = match;
    if (isPiiType(numberedType)) numberedCount += 1;
    if (!isPiiType(type)) continue;
    const key = keys.find(({ id }) => id === keyId);
    if (key === undefined) {
      foreignCounts[keyId] = (foreignCounts[keyId] ?? 0) + 1;
      continue;
    }
    const value = await openValue(type, payload, key);
    if (value === undefined) {
      brokenCount += 1;
      continue;
    }
    openedCount += 1;
    parts.push(text.slice(position, match.index), value);
    position = match.index + whole.length;
  }
  parts.push(text.slice(position));
  return { text: parts.join(""), openedCount, foreignCounts, brokenCount, numberedCount };
}
