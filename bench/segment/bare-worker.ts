/** Uploads one buffer as many parts: what the runtime and its local R2 need for a large object by themselves. */
const PART_BYTES = 8 * 1024 * 1024;

interface Upload {
  uploadPart(number: number, bytes: Uint8Array): Promise<{ readonly partNumber: number; readonly etag: string }>;
  complete(parts: readonly { readonly partNumber: number; readonly etag: string }[]): Promise<unknown>;
}

interface Bindings {
  readonly BUCKET: { createMultipartUpload(key: string): Promise<Upload> };
}

export default {
  async fetch(request: Request, { BUCKET }: Bindings): Promise<Response> {
    const partCount = Number(new URL(request.url).searchParams.get("parts"));
    if (partCount === 0) return Response.json({ parts: 0 });
    const part = new Uint8Array(PART_BYTES).fill(0x20);
    const upload = await BUCKET.createMultipartUpload("large");
    const parts: { readonly partNumber: number; readonly etag: string }[] = [];
    while (parts.length < partCount) parts.push(await upload.uploadPart(parts.length + 1, part));
    await upload.complete(parts);
    return Response.json({ parts: parts.length });
  },
};
