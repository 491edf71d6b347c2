import { assert } from "../base/assert.ts";
import { importPiiKey, type PiiKey } from "./pii-key.ts";

/** The keys that the operator holds, by tenant. Each is derived when it is first asked for. */
export class PiiKeyring {
  readonly #secrets: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  readonly #keys = new Map<string, Promise<PiiKey>>();

  /** @param secrets 32 bytes each */
  constructor(secrets: ReadonlyMap<string, Uint8Array<ArrayBuffer>>) {
    this.#secrets = secrets;
  }

  has(tenantId: string): boolean {
    return this.#secrets.has(tenantId);
  }

  async keyOf(tenantId: string): Promise<PiiKey | undefined> {
    const secret = this.#secrets.get(tenantId);
    if (secret === undefined) return undefined;
    const known = this.#keys.get(tenantId) ?? derived(secret);
    this.#keys.set(tenantId, known);
    return known;
  }
}

async function derived(secret: Uint8Array<ArrayBuffer>): Promise<PiiKey> {
  const key = await importPiiKey(secret);
  assert(key.ok, "keys of a keyring have 32 bytes");
  return key.value;
}
