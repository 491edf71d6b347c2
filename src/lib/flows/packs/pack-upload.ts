import type { R2Bucket } from "@cloudflare/workers-types";
import type { PackSink } from "../../artifact/pack-writer.ts";
import { PART_BYTES, R2MultipartSink } from "../../artifact/r2-multipart-sink.ts";

/** Where a large pack is written before its name is known. */
export function stagingPrefix(tenantId: string): string {
  return `staging/packs/${tenantId}/`;
}

const MEDIA_TYPE = { contentType: "application/octet-stream" } as const;

/**
 * Writes a pack to R2 under a name that is known only when it is whole, because its hash is part of it. A pack of one part waits in memory; a larger one is
 * written beside and copied part by part: R2 renames nothing. At most two parts are in memory. Rejects when R2 does.
 */
export class PackUpload implements PackSink {
  readonly #bucket: R2Bucket;
  readonly #stagingKey: string;
  #inMemory: Uint8Array[] = [];
  #bytes = 0;
  #staged: R2MultipartSink | undefined;

  /** `uploadId` names what is written beside. */
  constructor(bucket: R2Bucket, { tenantId, uploadId }: { readonly tenantId: string; readonly uploadId: string }) {
    this.#bucket = bucket;
    this.#stagingKey = `${stagingPrefix(tenantId)}${uploadId}.mpz`;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#bytes += bytes.length;
    if (this.#staged === undefined && this.#bytes <= PART_BYTES) {
      this.#inMemory.push(bytes);
      return;
    }
    if (this.#staged === undefined) {
      this.#staged = new R2MultipartSink(await this.#bucket.createMultipartUpload(this.#stagingKey));
      for (const piece of this.#inMemory.splice(0)) await this.#staged.write(piece);
    }
    await this.#staged.write(bytes);
  }

  /** Makes the pack visible under its name. */
  async finish(key: string): Promise<void> {
    if (this.#staged === undefined) {
      const whole = new Uint8Array(this.#bytes);
      let offset = 0;
      for (const piece of this.#inMemory) {
        whole.set(piece, offset);
        offset += piece.length;
      }
      await this.#bucket.put(key, whole, { httpMetadata: MEDIA_TYPE });
      return;
    }
    await this.#staged.complete();
    const copy = new R2MultipartSink(await this.#bucket.createMultipartUpload(key, { httpMetadata: MEDIA_TYPE }));
    for (let offset = 0; offset < this.#bytes; offset += PART_BYTES) {
      const range = { offset, length: Math.min(PART_BYTES, this.#bytes - offset) };
      const part = await this.#bucket.get(this.#stagingKey, { range });
      if (part === null) throw new Error("what was written beside is gone");
      await copy.write(new Uint8Array(await part.arrayBuffer()));
    }
    await copy.complete();
    await this.#bucket.delete(this.#stagingKey);
  }
}
