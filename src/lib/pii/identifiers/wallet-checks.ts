import { sha256Sync } from "../../base/hash.ts";

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
/** BIP 173 and BIP 350: the constants that a valid checksum leaves. */
const BECH32_REMAINDERS = new Set([1, 0x2bc830a3]);
const BECH32_GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
/** Version, 20 bytes of hash, 4 bytes of checksum. */
const BASE58_ADDRESS_BYTES = 25;

/** Base58Check: the last four bytes are the head of SHA-256 twice over the rest. */
export function isBase58Address(value: string): boolean {
  let number = 0n;
  for (const character of value) number = number * 58n + BigInt(BASE58.indexOf(character));
  const hex = number.toString(16).padStart(BASE58_ADDRESS_BYTES * 2, "0");
  if (hex.length !== BASE58_ADDRESS_BYTES * 2) return false;
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const sum = sha256Sync(sha256Sync(bytes.subarray(0, 21)));
  return bytes.subarray(21).every((byte, index) => byte === sum[index]);
}

/** BIP 173: a human part, "1", and data whose checksum is right (bech32 or bech32m). Lower or upper case, not both. */
export function isBech32Address(value: string): boolean {
  const lower = value.toLowerCase();
  if (value !== lower && value !== value.toUpperCase()) return false;
  const split = lower.lastIndexOf("1");
  const human = Array.from(lower.slice(0, split), (character) => character.charCodeAt(0));
  const data = Array.from(lower.slice(split + 1), (character) => BECH32.indexOf(character));
  if (data.includes(-1)) return false;
  let check = 1;
  for (const part of [...human.map((code) => code >> 5), 0, ...human.map((code) => code & 31), ...data]) {
    const top = check >>> 25;
    check = ((check & 0x1ffffff) << 5) ^ part;
    for (let bit = 0; bit < 5; bit++) if ((top >> bit) & 1) check ^= BECH32_GENERATORS[bit] ?? 0;
  }
  return BECH32_REMAINDERS.has(check);
}
