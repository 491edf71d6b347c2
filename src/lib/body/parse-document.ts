import { utf8Bytes } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";
import { err, ok, type Result } from "../base/result.ts";
import { documentInputSchema, type DocumentInput, type Metadata } from "../contract/document.ts";
import { identifierSchema, type Tier } from "../contract/scope.ts";
import type { Reason } from "../contract/verdict.ts";

/** A document whose shape is right. Its text is still unjudged. */
export interface ParsedDocument {
  readonly id: string;
  readonly text: string;
  readonly title: string;
  readonly source: string;
  readonly tier: Tier;
  readonly userId: string;
  readonly occurredAtMs: number | null;
  readonly metadata: Metadata;
}

/** Why an input is no document. `documentId` is its id where that much could be read, else ''. */
export interface DocumentRefusal {
  readonly documentId: string;
  readonly reasons: readonly Reason[];
}

export interface ParseContext {
  /** User the key is bound to, '' for none: then documents without a user belong to that user, and others are refused. */
  readonly boundUserId: string;
  readonly nowMs: number;
}

/** Reasons told of one document: the first are enough to repair it. */
const REASONS_MAX = 8;
const EMPTY_METADATA: Metadata = {};

/** Checks the shape of one input. Reasons hold a code and a JSON pointer, never a value. */
export function parseDocument(value: unknown, context: ParseContext): Result<ParsedDocument, DocumentRefusal> {
  const parsed = documentInputSchema.safeParse(value);
  if (!parsed.success)
    return err({ documentId: readableId(value), reasons: schemaReasons(parsed.error.issues, value) });
  const input = parsed.data;
  const occurredAtMs = input.occurred_at === undefined ? null : Date.parse(input.occurred_at);
  const reasons = [
    ...textReasons(input),
    ...metadataReasons(value, input.metadata),
    ...timeReasons(occurredAtMs, context.nowMs),
    ...userReasons(input, context),
  ];
  if (reasons.length > 0) return err({ documentId: input.id, reasons: reasons.slice(0, REASONS_MAX) });
  return ok({
    id: input.id,
    text: input.text,
    title: input.title ?? "",
    source: input.source ?? "",
    tier: input.tier ?? "doc",
    userId: input.user_id ?? context.boundUserId,
    occurredAtMs,
    metadata: input.metadata ?? EMPTY_METADATA,
  });
}

interface SchemaIssue {
  readonly code: string | undefined;
  readonly path: readonly PropertyKey[];
}

function schemaReasons(issues: readonly SchemaIssue[], value: unknown): Reason[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [{ code: "document_not_an_object" }];
  return issues.slice(0, REASONS_MAX).map((issue) => {
    if (issue.code === "unrecognized_keys") return { code: "field_unknown" };
    const field = issue.path[0];
    const missing = typeof field === "string" && issue.path.length === 1 && Reflect.get(value, field) === undefined;
    return { code: missing ? "field_missing" : "field_invalid", detail: pointer(issue.path) };
  });
}

/** JSON pointer of a path. A part that is not a plain name was chosen by the client and becomes `*`. */
function pointer(path: readonly PropertyKey[]): string {
  return path
    .slice(0, 4)
    .map((part) => `/${/^[\w.-]{1,40}$/.test(String(part)) ? String(part) : "*"}`)
    .join("");
}

function readableId(value: unknown): string {
  if (typeof value !== "object" || value === null) return "";
  const id = identifierSchema.safeParse(Reflect.get(value, "id"));
  return id.success ? id.data : "";
}

function textReasons(input: DocumentInput): Reason[] {
  const { title } = input;
  return title === undefined ? [] : uncleanReasons(title, "/title");
}

function uncleanReasons(text: string, detail: string): Reason[] {
  if (!text.isWellFormed()) return [{ code: "not_well_formed", detail }];
  return text.includes("\0") ? [{ code: "nul_bytes", detail }] : [];
}

function metadataReasons(value: unknown, metadata: Metadata | undefined): Reason[] {
  if (metadata === undefined) return [];
  const raw: unknown = typeof value === "object" && value !== null ? Reflect.get(value, "metadata") : undefined;
  // The schema drops this key silently; what a client sent is kept whole or refused.
  if (typeof raw === "object" && raw !== null && Object.hasOwn(raw, "__proto__")) {
    return [{ code: "field_unknown", detail: "/metadata/__proto__" }];
  }
  const json = JSON.stringify(metadata);
  const sizeBytes = utf8Bytes(json).length;
  if (sizeBytes > LIMITS.metadataBytesMax) {
    return [{ code: "metadata_too_large", measure: sizeBytes, threshold: LIMITS.metadataBytesMax }];
  }
  // JSON writes NUL as a \u0000 escape and a lone surrogate as a \ud escape, and nothing else that way but an escaped backslash.
  if (!/\\u(0000|d[89a-f])/.test(json)) return [];
  return Object.entries(metadata)
    .flatMap(([key, field]) => [key, ...(Array.isArray(field) ? field : [field])])
    .flatMap((part) => (typeof part === "string" ? uncleanReasons(part, "/metadata") : []))
    .slice(0, 1);
}

function timeReasons(occurredAtMs: number | null, nowMs: number): Reason[] {
  if (occurredAtMs === null) return [];
  if (!Number.isFinite(occurredAtMs)) return [{ code: "field_invalid", detail: "/occurred_at" }];
  if (occurredAtMs < LIMITS.occurredAtMsMin)
    return [{ code: "occurred_at_too_early", threshold: LIMITS.occurredAtMsMin }];
  const latest = nowMs + LIMITS.occurredAtAheadMsMax;
  return occurredAtMs > latest ? [{ code: "occurred_at_in_future", threshold: latest }] : [];
}

function userReasons(input: DocumentInput, context: ParseContext): Reason[] {
  const foreign = context.boundUserId !== "" && input.user_id !== undefined && input.user_id !== context.boundUserId;
  return foreign ? [{ code: "user_forbidden" }] : [];
}
