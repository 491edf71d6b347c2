/** The few functions of Node's library that workerd offers and we use. Node's own types would bring Node's globals with them. */
declare module "node:zlib" {
  interface ZlibOptions {
    readonly maxOutputLength?: number;
    readonly level?: number;
  }
  interface ZstdOptions {
    readonly maxOutputLength?: number;
    readonly params?: Readonly<Record<number, number>>;
  }
  export function gunzipSync(data: Uint8Array, options?: ZlibOptions): Uint8Array<ArrayBuffer>;
  export function gzipSync(data: Uint8Array | string, options?: ZlibOptions): Uint8Array<ArrayBuffer>;
  export function zstdCompressSync(data: Uint8Array | string, options?: ZstdOptions): Uint8Array<ArrayBuffer>;
  export function zstdDecompressSync(data: Uint8Array, options?: ZstdOptions): Uint8Array<ArrayBuffer>;
  export function crc32(data: Uint8Array, value?: number): number;
  export const constants: { readonly ZSTD_d_windowLogMax: number; readonly ZSTD_c_compressionLevel: number };
}

declare module "node:crypto" {
  interface Hash {
    update(data: string | Uint8Array): Hash;
    digest(): Uint8Array<ArrayBuffer>;
    digest(encoding: "hex" | "base64"): string;
  }
  export function createHash(algorithm: "sha256" | "md5"): Hash;
  export function createHmac(algorithm: "sha256", key: string): Hash;
  /** Throws when the lengths differ. */
  export function timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean;
}

declare module "node:async_hooks" {
  export class AsyncLocalStorage<T> {
    run<R>(store: T, work: () => R): R;
    getStore(): T | undefined;
  }
}
