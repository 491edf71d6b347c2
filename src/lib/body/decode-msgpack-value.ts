import { decode } from "@msgpack/msgpack";

/**
 * The value of walked bytes (see `walkMsgpack`), or `undefined` for what a document cannot hold: binary data, extensions, keys that are not strings,
 * `__proto__`. Without the walk before it the library would allocate by the lengths that the bytes claim.
 */
export function decodeWalkedMsgpack(bytes: Uint8Array): unknown {
  try {
    return decode(bytes, {
      maxStrLength: bytes.length,
      maxArrayLength: bytes.length,
      maxMapLength: bytes.length,
      maxBinLength: 0,
      maxExtLength: 0,
      mapKeyConverter: (key) => {
        if (typeof key !== "string") throw new TypeError("map keys are strings");
        return key;
      },
    });
  } catch {
    return undefined;
  }
}
