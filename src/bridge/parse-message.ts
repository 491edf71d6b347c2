import { z } from "zod";
import { err, ok, type Result } from "../lib/base/result.ts";
import { documentInputSchema, type DocumentInput } from "../lib/contract/document.ts";
import { BRIDGE_LIMITS } from "./bridge-limits.ts";

/** Why a message is no trigger. `detail` names places and sizes, never content. */
export interface MessageRefusal {
  readonly code:
    | "message_missing"
    | "message_too_large"
    | "message_not_utf8"
    | "message_not_json"
    | "message_invalid"
    /** The API will not take it, whatever happens. */
    | "request_refused";
  readonly detail: string;
}

const documentsSchema = z.strictObject({
  documents: z.array(documentInputSchema).min(1).max(BRIDGE_LIMITS.requestDocumentsMax),
});
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The documents of a message: one document as `POST /v1/documents` takes it, or `{"documents": [...]}`. JSON in UTF-8.
 * Errors: every code of `MessageRefusal` but request_refused. Pure.
 */
export function parseMessage(
  bytes: Uint8Array | undefined,
  bytesMax: number,
): Result<readonly DocumentInput[], MessageRefusal> {
  if (bytes === undefined)
    return err({ code: "message_missing", detail: 'an entry has its JSON in the field "message"' });
  if (bytes.length > bytesMax)
    return err({ code: "message_too_large", detail: `${bytes.length} bytes of at most ${bytesMax}` });
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return err({ code: "message_not_utf8", detail: "the message is not valid UTF-8" });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err({ code: "message_not_json", detail: "the message is not valid JSON" });
  }
  return documentsOf(value);
}

function documentsOf(value: unknown): Result<readonly DocumentInput[], MessageRefusal> {
  const isList = typeof value === "object" && value !== null && "documents" in value;
  const parsed = isList
    ? documentsSchema.transform(({ documents }) => documents).safeParse(value)
    : documentInputSchema.transform((document) => [document]).safeParse(value);
  if (parsed.success) return ok(parsed.data);
  const places = parsed.error.issues.map((issue) => `/${issue.path.join("/")}: ${issue.code}`);
  return err({ code: "message_invalid", detail: places.join(", ").slice(0, BRIDGE_LIMITS.reasonCharactersMax) });
}
