/** Audits in R2: `audits/<day>.json`, its difference from the one before as JSON and as text, and the one that is being made. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { listObjects } from "../../bucket/list-objects.ts";
import { z } from "zod";
import { type Audit, auditDaySchema, auditSchema, tenantAuditSchema } from "../../contract/audit.ts";
import { AUDIT_STEPS } from "./audit-tenant.ts";

const PREFIX = "audits/";
const PART_KEY = `${PREFIX}part.json`;
const MEDIA_TYPE = "application/json";

export const auditKey = (day: string): string => `${PREFIX}${day}.json`;
export const diffKey = (day: string): string => `${PREFIX}${day}.diff.json`;
export const diffTextKey = (day: string): string => `${PREFIX}${day}.diff.txt`;

/** An audit that is being made, with the place where it goes on: one object, so that nothing is counted twice or left out whatever ends a run. */
const partSchema = z.object({
  audit: auditSchema.omit({ finished_at: true }),
  after_tenant: z.string(),
  /** The tenant behind that one, as far as it has come. */
  at: z.object({ tenant: tenantAuditSchema, step: z.enum(AUDIT_STEPS), after: z.string() }).nullable(),
});
export type AuditPart = z.infer<typeof partSchema>;

/** Null where none is being made. Throws when R2 fails, or when what lies there is none. */
export async function readPart(bucket: R2Bucket): Promise<AuditPart | null> {
  const object = await bucket.get(PART_KEY);
  return object === null ? null : partSchema.parse(await object.json());
}

export async function writePart(bucket: R2Bucket, part: AuditPart): Promise<void> {
  await bucket.put(PART_KEY, JSON.stringify(part), { httpMetadata: { contentType: MEDIA_TYPE } });
}

export async function removePart(bucket: R2Bucket): Promise<void> {
  await bucket.delete(PART_KEY);
}

/** Null where the day has none. */
export async function readAudit(bucket: R2Bucket, day: string): Promise<Audit | null> {
  const object = await bucket.get(auditKey(day));
  return object === null ? null : auditSchema.parse(await object.json());
}

export async function writeJson(bucket: R2Bucket, key: string, value: unknown): Promise<void> {
  await bucket.put(key, `${JSON.stringify(value, null, 1)}\n`, { httpMetadata: { contentType: MEDIA_TYPE } });
}

export async function writeText(bucket: R2Bucket, key: string, text: string): Promise<void> {
  await bucket.put(key, text, { httpMetadata: { contentType: "text/plain; charset=utf-8" } });
}

/** Pages of a thousand keys: three objects a day are thirty years. */
const PAGES_MAX = 40;

export interface KeptAudit {
  readonly day: string;
  readonly sizeBytes: number;
  readonly hasDiff: boolean;
}

/** The days that have an audit, the latest first. */
export async function listAudits(bucket: R2Bucket): Promise<readonly KeptAudit[]> {
  const sizes = new Map<string, number>();
  const listing = { prefix: PREFIX, startAfter: PREFIX, pagesMax: PAGES_MAX };
  for await (const { key, size } of listObjects(bucket, listing)) sizes.set(key, size);
  const days = [...sizes.keys()].flatMap((key) => {
    const day = auditDaySchema.safeParse(key.slice(PREFIX.length).replace(/\.json$/, ""));
    return day.success ? [day.data] : [];
  });
  return days
    .sort()
    .toReversed()
    .map((day) => ({ day, sizeBytes: sizes.get(auditKey(day)) ?? 0, hasDiff: sizes.has(diffKey(day)) }));
}
