import { createHash } from "node:crypto";
import type { PackRecord } from "../../contract/pack-record.ts";

/** Hash of records in their order, to hold what is read against what was written: whatever their members' order, equal records give equal digests. */
export class RecordsDigest {
  readonly #hash = createHash("sha256");

  add(record: PackRecord): void {
    this.#hash.update(JSON.stringify(record, sortedMembers));
    this.#hash.update("\n");
  }

  /** Hexadecimal; nothing may be added after. */
  value(): string {
    return this.#hash.digest("hex");
  }
}

function sortedMembers(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
