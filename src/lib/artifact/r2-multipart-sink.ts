import type { R2MultipartUpload, R2UploadedPart } from "@cloudflare/workers-types";
import type { PackSink } from "./pack-writer.ts";

/** R2 takes parts of equal size, 5 MiB at least, but for the last one. */
export const PART_BYTES = 8 * 1024 * 1024;

/** Writes a pack of any size to R2 and holds one part of it. */
export class R2MultipartSink implements PackSink {
  readonly #upload: R2MultipartUpload;
  readonly #part = new Uint8Array(PART_BYTES);
  readonly #uploaded: R2UploadedPart[] = [];
  #filled = 0;

  constructor(upload: R2MultipartUpload) {
    this.#upload = upload;
  }

  async write(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      const piece = rest.subarray(0, PART_BYTES - this.#filled);
      this.#part.set(piece, this.#filled);
      this.#filled += piece.length;
      rest = rest.subarray(piece.length);
      if (this.#filled === PART_BYTES) await this.#send();
    }
  }

  /** Sends the last part and makes the object visible. A pack that failed is given up with `upload.abort()`. */
  async complete(): Promise<void> {
    if (this.#filled > 0) await this.#send();
    await this.#upload.complete(this.#uploaded);
  }

  async #send(): Promise<void> {
    const part = await this.#upload.uploadPart(this.#uploaded.length + 1, this.#part.slice(0, this.#filled));
    this.#uploaded.push(part);
    this.#filled = 0;
  }
}
