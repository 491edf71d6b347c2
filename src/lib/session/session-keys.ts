/**
 * Where the objects of a session lie in R2. Ids come from clients and may hold anything that `identifierSchema` takes: each becomes one part of a key
 * that has no slash in it and no second meaning, so that no id reaches into the folder of another.
 */
import { sha256HexSync } from "../base/hash.ts";
import type { SessionIdentity } from "./session-log-api.ts";

export interface SegmentFacts {
  readonly firstSeq: number;
  readonly createdAtMs: number;
  readonly eventCount: number;
  /** Of the segment's bytes, 64 hexadecimal characters. */
  readonly sha256: string;
}

/** Bytes of a part that still says what it stands for. A key has 1,024 bytes at most in R2, and two such parts are in it. */
const PLAIN_PART_BYTES_MAX = 120;
/** Hexadecimal characters of the hash that stands for a longer id: 128 bits. */
const HASH_CHARACTERS = 32;
const SHARED_PART = "@shared";

/**
 * One part of a key. `encodeURIComponent` leaves neither "/" nor "@": ids that become their hash, and the user '', begin with "@" and meet no other.
 * The id is well-formed (`identifierSchema`).
 */
export function keyPart(id: string): string {
  if (id === "") return SHARED_PART;
  const plain = encodeURIComponent(id);
  if (plain.length <= PLAIN_PART_BYTES_MAX && plain !== "." && plain !== "..") return plain;
  return `@${sha256HexSync(id).slice(0, HASH_CHARACTERS)}`;
}

/** The id that a part stands for, or undefined where only its hash is left. */
export function idOfKeyPart(part: string): string | undefined {
  if (part === SHARED_PART) return "";
  if (part.startsWith("@")) return undefined;
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

/** The beginning, 32 hexadecimal characters, of the SHA-256 of the id that a part stands for; undefined for what is no part. */
export function keyPartHash(part: string): string | undefined {
  const id = idOfKeyPart(part);
  if (id !== undefined) return sha256HexSync(id).slice(0, HASH_CHARACTERS);
  return /^@([0-9a-f]{32})$/.exec(part)?.[1];
}

function sessionPath({ tenantId, userId, sessionId }: SessionIdentity): string {
  return `${tenantId}/${keyPart(userId)}/${keyPart(sessionId)}`;
}

/** Marker of a session, written when it is opened: the sessions of a user can be listed without Postgres. */
export function sessionMarkerKey(session: SessionIdentity): string {
  return `sessions/${sessionPath(session)}`;
}

/** Prefix of all segments of a session, in order of their first seq. */
export function segmentPrefix(session: SessionIdentity): string {
  return `segments/${sessionPath(session)}/`;
}

/** `segments/<tenant>/<user>/<session>/<first seq>-<when made>-<events>-<sha8>.seg` */
export function segmentKey(session: SessionIdentity, segment: SegmentFacts): string {
  const madeAt = new Date(segment.createdAtMs).toISOString().replace(/\.\d+/, "").replace(/[-:]/g, "");
  return `${segmentPrefix(session)}${paddedSeq(segment.firstSeq)}-${madeAt}-${segment.eventCount}-${segment.sha256.slice(0, 8)}.seg`;
}

/** Prefix of the summaries that lie beside the segments of a session. */
export function summaryPrefix(session: SessionIdentity): string {
  return `summaries/${sessionPath(session)}/`;
}

/** Summary of the segment that begins with `firstSeq`. */
export function summaryKey(session: SessionIdentity, firstSeq: number): string {
  return `${summaryPrefix(session)}${paddedSeq(firstSeq)}.json`;
}

/** Twelve digits: keys sort as their numbers do, up to a trillion events of a session. */
function paddedSeq(seq: number): string {
  return String(seq).padStart(12, "0");
}

interface UserOfSessions {
  readonly tenantId: string;
  readonly userId: string;
}

const userPath = ({ tenantId, userId }: UserOfSessions): string => `${tenantId}/${keyPart(userId)}/`;

/** Prefix of the markers of a user's sessions; the rest of a key is the part of the session that all its keys have in common. */
export function sessionMarkersPrefix(user: UserOfSessions): string {
  return `sessions/${userPath(user)}`;
}

/** Prefix of the segments of all sessions of a user. */
export function userSegmentsPrefix(user: UserOfSessions): string {
  return `segments/${userPath(user)}`;
}

/** Prefix of the summaries of all sessions of a user. */
export function userSummariesPrefix(user: UserOfSessions): string {
  return `summaries/${userPath(user)}`;
}
