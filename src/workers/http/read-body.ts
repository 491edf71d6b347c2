import { err, ok, type Result } from "../../lib/base/result.ts";
import type { Problem } from "../../lib/contract/problem.ts";

/**
 * Reads a request's body, at most `bytesMax` bytes. A length that the client announces is trusted to refuse early and to read in one go (the
 * HTTP server cuts the body there); without one the bytes are counted as they come.
 */
export async function readBody(request: Request, bytesMax: number): Promise<Result<Uint8Array<ArrayBuffer>, Problem>> {
  const tooLarge = err({ code: "body_too_large", detail: `at most ${bytesMax} bytes` } as const);
  const announced = request.headers.get("content-length");
  if (announced !== null && Number(announced) > bytesMax) return tooLarge;
  try {
    if (announced !== null) return ok(new Uint8Array(await request.arrayBuffer()));
    return (await readCounted(request, bytesMax)) ?? tooLarge;
  } catch {
    return err({ code: "body_truncated", detail: "the connection ended before the body did" });
  }
}

async function readCounted(
  request: Request,
  bytesMax: number,
): Promise<Result<Uint8Array<ArrayBuffer>, Problem> | undefined> {
  if (request.body === null) return ok(new Uint8Array(0));
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader: ReadableStreamDefaultReader<Uint8Array> = request.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > bytesMax) {
      await reader.cancel();
      return undefined;
    }
    chunks.push(value);
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return ok(bytes);
}
