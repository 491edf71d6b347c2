import type { ArtifactEntry } from "../../lib/contract/artifact.ts";
import { readPack, type PackedRecord } from "../../reader/read-pack.ts";
import { readSegment, type SegmentEvent } from "../../reader/read-segment.ts";
import { ServiceError } from "./api.ts";

/** What an artifact holds, as far as a page can show it. */
export type OpenedArtifact =
  | { readonly kind: "json"; readonly value: unknown }
  | {
      readonly kind: "events";
      readonly events: readonly SegmentEvent[];
      readonly isSealed: boolean;
    }
  | {
      readonly kind: "records";
      readonly recordCount: number;
      readonly records: readonly PackedRecord[];
    }
  | { readonly kind: "other" };

/** Records of a pack that are unpacked for the page. */
const RECORDS_MAX = 500;

/** Reads an artifact's bytes once their hash is that of its entry. Throws a `ServiceError` with what is wrong. */
export async function openArtifact(bytes: Uint8Array, artifact: ArtifactEntry): Promise<OpenedArtifact> {
  if ((await sha256Of(bytes)) !== artifact.sha256)
    throw failure(
      "hash_differs",
      "The bytes are not those that were registered. If the artifact is being written anew, load it again.",
    );
  try {
    if (artifact.media_type === "application/json")
      return { kind: "json", value: JSON.parse(new TextDecoder().decode(bytes)) };
    if (artifact.kind === "segment") {
      const { events, isSealed } = readSegment(bytes);
      return { kind: "events", events, isSealed };
    }
    if (artifact.kind === "pack") return await openPack(bytes);
    return { kind: "other" };
  } catch (cause) {
    if (cause instanceof ServiceError) throw cause;
    throw failure("unreadable", `It cannot be read: ${cause instanceof Error ? cause.message : "damaged"}.`);
  }
}

async function openPack(bytes: Uint8Array): Promise<OpenedArtifact> {
  const pack = await readPack(bytes);
  if (pack.dictionaryId !== null)
    throw failure(
      "dictionary_needed",
      `It is compressed with dictionary ${pack.dictionaryId.slice(0, 8)}, which this page's zstd cannot use. Read it with: jeeves artifact cat.`,
    );
  const records: PackedRecord[] = [];
  for await (const record of pack.records()) {
    if (records.length >= RECORDS_MAX) break;
    records.push(record);
  }
  return { kind: "records", recordCount: pack.recordCount, records };
}

async function sha256Of(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", Uint8Array.from(bytes));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function failure(code: string, message: string): ServiceError {
  return new ServiceError({ status: 0, code, message, requestId: null });
}
