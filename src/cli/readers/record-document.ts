import { z } from "zod";
import { tierSchema } from "../../lib/contract/scope.ts";
import type { Metadata } from "../../lib/contract/document.ts";
import { type ReadItem, refusal } from "./read-item.ts";

/** Names under which other tools keep a record's text. */
const TEXT_FIELDS = ["text", "content", "body"] as const;

const fieldSchema = z.union([z.string(), z.number()]).transform(String);
const recordSchema = z.looseObject({
  id: fieldSchema.optional(),
  title: z.string().nullish(),
  source: z.string().nullish(),
  tier: tierSchema.nullish(),
  user_id: fieldSchema.nullish(),
  occurred_at: z.iso.datetime({ offset: true }).nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
});
const KNOWN = new Set<string>([...Object.keys(recordSchema.shape), ...TEXT_FIELDS]);

/**
 * A record of a JSON line or a table row. It needs `text` (or `content`, or `body`); `id` is made of the file and the position where it is
 * missing; simple fields that are not ours become metadata. Errors: `record_invalid` with the names of the fields.
 */
export function recordDocument(record: unknown, at: { readonly path: string; readonly record: number }): ReadItem {
  const parsed = recordSchema.safeParse(record);
  if (!parsed.success) {
    const fields = [...new Set(parsed.error.issues.map((issue) => issue.path.join(".") || "record"))];
    return refusal("record_invalid", { record: at.record, detail: fields.join(" ").slice(0, 200) });
  }
  const fields = parsed.data;
  const text = TEXT_FIELDS.map((name) => fields[name]).find((value) => typeof value === "string");
  if (typeof text !== "string") return refusal("record_invalid", { record: at.record, detail: "text" });
  return {
    kind: "document",
    id: fields.id === undefined || fields.id === "" ? `${at.path}#${at.record}` : fields.id,
    text,
    ...optional("title", fields.title),
    ...optional("source", fields.source),
    ...(fields.tier ? { tier: fields.tier } : {}),
    ...optional("userId", fields.user_id),
    ...optional("occurredAt", fields.occurred_at),
    metadata: { ...simpleFields(fields, KNOWN), ...simpleFields(fields.metadata ?? {}, new Set()) },
  };
}

function optional<K extends string>(key: K, value: string | null | undefined): { readonly [P in K]?: string } {
  const found: { [P in K]?: string } = {};
  if (value !== undefined && value !== null && value !== "") found[key] = value;
  return found;
}

const simpleSchema = z.union([
  z.string().max(2_000),
  z.number(),
  z.boolean(),
  z.array(z.union([z.string(), z.number(), z.boolean()])).max(100),
]);
/** Fields of a foreign record that become metadata; a document may have 64 keys, and the reader adds some of its own. */
const SIMPLE_FIELDS_MAX = 40;

function simpleFields(fields: Readonly<Record<string, unknown>>, known: ReadonlySet<string>): Metadata {
  const simple: Metadata = {};
  for (const [name, value] of Object.entries(fields)) {
    if (known.has(name) || name === "" || name.length > 100 || Object.keys(simple).length >= SIMPLE_FIELDS_MAX)
      continue;
    const parsed = simpleSchema.safeParse(value);
    if (parsed.success) simple[name] = parsed.data;
  }
  return simple;
}
