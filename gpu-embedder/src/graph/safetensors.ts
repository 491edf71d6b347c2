import { readFileSync } from "node:fs";
import { z } from "zod";
import { err, ok, type Result } from "../base/result.ts";

/** Header of a safetensors file: at most 100 MB by the format's own definition; ours are a few kilobytes. */
const HEADER_SIZE_BYTES_MAX = 8 * 1024 * 1024;
const LENGTH_PREFIX_BYTES = 8;

const tensorEntry = z.object({
  dtype: z.string(),
  shape: z.array(z.number().int().nonnegative()),
  data_offsets: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
});

/** One tensor: its shape and its values as float32, row-major. */
export type Tensor = { readonly shape: readonly number[]; readonly data: Float32Array };
export type SafetensorsError = { readonly code: "weights_malformed"; readonly detail: string };

/** Named tensors of a safetensors file. `get` converts float16 and bfloat16 to float32. */
export type Safetensors = {
  readonly names: readonly string[];
  readonly get: (name: string) => Result<Tensor, SafetensorsError>;
};

function malformed(detail: string): { readonly ok: false; readonly error: SafetensorsError } {
  return err({ code: "weights_malformed", detail });
}

function float16ToFloat32(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function toFloat32(dtype: string, bytes: Uint8Array<ArrayBuffer>): Float32Array | undefined {
  if (dtype === "F32") return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
  if (dtype === "F16") return Float32Array.from(halves, float16ToFloat32);
  if (dtype === "BF16") return new Float32Array(Uint32Array.from(halves, (half) => (half << 16) >>> 0).buffer);
  return undefined;
}

const BYTES_PER_ELEMENT: Readonly<Record<string, number>> = { F32: 4, F16: 2, BF16: 2 };

function decodeTensor(
  name: string,
  body: Uint8Array,
  entry: z.infer<typeof tensorEntry>,
): Result<Tensor, SafetensorsError> {
  const [begin, end] = entry.data_offsets;
  const elementCount = entry.shape.reduce((product, size) => product * size, 1);
  const sizeBytes = elementCount * (BYTES_PER_ELEMENT[entry.dtype] ?? Number.NaN);
  if (!(end - begin === sizeBytes && end <= body.byteLength))
    return malformed(`tensor ${name}: ${entry.dtype} ${entry.shape.join("x")} does not fit its offsets`);
  // slice, not subarray: the copy is aligned for the typed array whatever the header's length is
  const data = toFloat32(entry.dtype, new Uint8Array(body.slice(begin, end)));
  if (data === undefined) return malformed(`tensor ${name}: unsupported type ${entry.dtype}`);
  return ok({ shape: entry.shape, data });
}

/** Reads a safetensors file whole. Errors: `weights_malformed` for a header or offsets that do not add up. */
export function readSafetensors(path: string): Result<Safetensors, SafetensorsError> {
  const file = readFileSync(path);
  if (file.byteLength < LENGTH_PREFIX_BYTES) return malformed("file is shorter than its length prefix");
  const headerSize = Number(file.readBigUInt64LE(0));
  if (headerSize > HEADER_SIZE_BYTES_MAX || LENGTH_PREFIX_BYTES + headerSize > file.byteLength)
    return malformed("header length is out of range");
  let header: unknown;
  try {
    header = JSON.parse(file.toString("utf8", LENGTH_PREFIX_BYTES, LENGTH_PREFIX_BYTES + headerSize));
  } catch {
    return malformed("header is not JSON");
  }
  const entries = z.record(z.string(), z.unknown()).safeParse(header);
  if (!entries.success) return malformed("header is not an object");
  const body = file.subarray(LENGTH_PREFIX_BYTES + headerSize);
  const names = Object.keys(entries.data).filter((name) => name !== "__metadata__");
  return ok({
    names,
    get(name) {
      const entry = tensorEntry.safeParse(entries.data[name]);
      if (!entry.success) return malformed(`tensor ${name} is missing`);
      return decodeTensor(name, body, entry.data);
    },
  });
}
