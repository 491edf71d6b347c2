import type { DocumentInput } from "../lib/contract/document.ts";

/** One message that asks for documents to be embedded, as it came and with what it asks for. */
export interface Trigger {
  /** Entry id in the stream; '' for a message of a channel, which has none. */
  readonly id: string;
  readonly documents: readonly DocumentInput[];
  readonly sizeBytes: number;
}

/** What names a document inside a tenant: two triggers with the same one must reach the API in their order. */
export function documentKeys(triggers: readonly Trigger[]): ReadonlySet<string> {
  return new Set(
    triggers.flatMap(({ documents }) => documents.map(({ id, user_id: user = "" }) => JSON.stringify([user, id]))),
  );
}
