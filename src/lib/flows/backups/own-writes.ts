/**
 * Writes of a run that may have lost its lease without knowing: another run has taken over, and what that one wrote must stay. First a look at what lies there, then
 * the question whether the lease is still held, then writes on condition that nothing has changed since the look. Who holds the lease writes over what a run
 * that died has left; who lost it finds other bytes than it saw.
 */
import type { R2Bucket } from "@cloudflare/workers-types";
import { listObjects } from "../../bucket/list-objects.ts";

/** Another run writes the same backup. */
export class OvertakenError extends Error {
  override readonly name = "OvertakenError";
}

/** The bucket as it was a moment ago under a prefix: a put of a key of which that is not true any more throws `OvertakenError`. */
export async function lookBeforeWriting(bucket: R2Bucket, prefix: string): Promise<R2Bucket> {
  const etags = new Map<string, string>();
  for await (const { key, etag } of listObjects(bucket, { prefix })) etags.set(key, etag);
  const put = async (key: string, value: string | Uint8Array, options: object): Promise<unknown> => {
    const etag = etags.get(key);
    const onlyIf = etag === undefined ? { etagDoesNotMatch: "*" } : { etagMatches: etag };
    const stored = await bucket.put(key, value, { ...options, onlyIf });
    if (stored === null) throw new OvertakenError("the object has changed since it was looked at");
    etags.set(key, stored.etag);
    return stored;
  };
  return new Proxy(bucket, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return name === "put" ? put : (...args: unknown[]): unknown => Reflect.apply(member, target, args);
    },
  });
}
