import { createHash } from "node:crypto";

/** SHA-256 of bytes or of a string's UTF-8 form, 32 bytes. Synchronous: many small hashes would spend more on awaiting than on hashing. */
export function sha256Sync(data: Uint8Array | string): Uint8Array {
  return createHash("sha256").update(data).digest();
}

/** SHA-256 as 64 lower-case hexadecimal characters. */
export function sha256HexSync(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}
