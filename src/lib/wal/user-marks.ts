/**
 * Whose texts an object holds, told without reading it: metadata of objects with inputs of users. Lets an erasure pass over the objects of others. A
 * mark is a hash, 64 bits: nobody is named, and a false match costs one read.
 */
import { sha256HexSync } from "../base/hash.ts";

const FIELD = "users";
const MARK_CHARACTERS = 16;
/** Users that are marked. With 17 characters each they stay far below the 2 KB that R2 has for metadata; objects of more are read. */
const USERS_MAX = 40;
/** R2 may drop empty values. */
const NOBODY = "-";

function userMark(tenantId: string, userId: string): string {
  return sha256HexSync(JSON.stringify([tenantId, userId])).slice(0, MARK_CHARACTERS);
}

/** The metadata of an object with inputs of these users; '' (the tenant) and '*' (nobody) are none. */
export function userMarks(tenantId: string, userIds: Iterable<string>): Readonly<Record<string, string>> {
  const users = new Set([...userIds].filter((userId) => userId !== "" && userId !== "*"));
  if (users.size > USERS_MAX) return {};
  const marks = [...users].map((userId) => userMark(tenantId, userId)).sort();
  return { [FIELD]: marks.length === 0 ? NOBODY : marks.join(",") };
}

/** False: the object holds nothing of the user. */
export function mayHold(
  metadata: Readonly<Record<string, string>> | undefined,
  { tenantId, userId }: { readonly tenantId: string; readonly userId: string },
): boolean {
  const marks = metadata?.[FIELD];
  return marks === undefined || marks.split(",").includes(userMark(tenantId, userId));
}

/** The metadata without the mark of the user. */
export function withoutMark(
  metadata: Readonly<Record<string, string>>,
  { tenantId, userId }: { readonly tenantId: string; readonly userId: string },
): Readonly<Record<string, string>> {
  const marks = metadata[FIELD];
  if (marks === undefined) return metadata;
  const left = marks.split(",").filter((mark) => mark !== userMark(tenantId, userId));
  return { ...metadata, [FIELD]: left.length === 0 ? NOBODY : left.join(",") };
}
