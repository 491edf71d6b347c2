/** Whose a secret is, and whether a reply holds one that its reader must not know. */
import type { Scope } from "../../../src/lib/db/sql.ts";

/** Whose something is: `userId` '' is shared by the tenant, '*' for the tenant's operators alone. */
export interface Owner {
  readonly tenantId: string;
  readonly userId: string;
}

/** Whether a reader may know what an owner has. */
export function mayRead(reader: Scope, owner: Owner): boolean {
  if (reader.tenantId !== owner.tenantId) return false;
  return reader.userId === "*" || owner.userId === "" || owner.userId === reader.userId;
}

/** Secret words, ids of the service and hashes of contents, as they stand in texts and replies. */
const TRACES = /zq[a-p]{8}|\b[0-9a-f]{64}\b|[0-9A-HJKMNP-TV-Z]{26}-\d+|\bkey_[0-9A-HJKMNP-TV-Z]{26}\b/g;

/** Every secret of a population with its owner. */
export class Secrets {
  readonly #owners = new Map<string, Owner>();

  get count(): number {
    return this.#owners.size;
  }

  add(trace: string, owner: Owner): void {
    this.#owners.set(trace, owner);
  }

  /** A word that stands for one owner alone. */
  newWord(owner: Owner): string {
    const number = this.#owners.size.toString(16).padStart(8, "0");
    const word = `zq${number.replace(/./g, (digit) => "abcdefghijklmnop".charAt(Number.parseInt(digit, 16)))}`;
    this.add(word, owner);
    return word;
  }

  /** Secrets in a text that its reader must not know. */
  foreignIn(text: string, reader: Scope): readonly string[] {
    return [...text.matchAll(TRACES)]
      .map(([trace]) => trace)
      .filter((trace) => {
        const owner = this.#owners.get(trace);
        return owner !== undefined && !mayRead(reader, owner);
      });
  }
}
