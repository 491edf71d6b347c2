import { z } from "zod";
import { LIMITS } from "../../../lib/base/limits.ts";
import { err, ok } from "../../../lib/base/result.ts";
import { instantSchema } from "../../../lib/contract/instant.ts";
import { tenantScopeSchema } from "../../../lib/contract/principal.ts";
import type { Problem } from "../../../lib/contract/problem.ts";
import { userIdSchema } from "../../../lib/contract/scope.ts";
import { keySummarySchema, type KeySummary } from "../../../lib/db/queries/api-keys.ts";
import {
  createKey,
  listKeys,
  OVERLAP_SECONDS_MAX,
  revokeKey,
  rotateKey,
  type KeyError,
  type MadeKey,
} from "../../../lib/flows/keys/manage-keys.ts";
import { ownTenantRows } from "../../../lib/flows/own-rows.ts";
import { problemOfSql } from "../../../lib/flows/problem-of.ts";
import { json } from "../respond.ts";
import { principalOf, route } from "../route.ts";

const keyOnWireSchema = keySummarySchema
  .omit({ expires_at_ms: true, revoked_at_ms: true, created_at_ms: true, tenant_id: true })
  .extend({
    created_at: z.iso.datetime(),
    expires_at: z.iso.datetime().nullable(),
    revoked_at: z.iso.datetime().nullable(),
  });
const madeKeySchema = keyOnWireSchema.extend({ key: z.string().describe("shown this once") });

const newKeySchema = z.strictObject({
  scopes: z.array(tenantScopeSchema).min(1).max(3),
  user_id: userIdSchema.optional().describe("binds the key to one user"),
  label: z.string().max(200).default(""),
  expires_at: instantSchema.optional(),
});

function onWire(summary: KeySummary): z.infer<typeof keyOnWireSchema> {
  const {
    expires_at_ms: expires,
    revoked_at_ms: revoked,
    created_at_ms: created,
    tenant_id: _tenant,
    ...rest
  } = summary;
  const time = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
  return { ...rest, created_at: new Date(created).toISOString(), expires_at: time(expires), revoked_at: time(revoked) };
}

const made = ({ key, summary }: MadeKey) => json({ key, ...onWire(summary) }, 201);

function problemOf(error: KeyError): Problem {
  if ("retryable" in error) return problemOfSql(error);
  if (error.code === "conflict") {
    return { code: "conflict", detail: "the key is unknown, revoked, expired or already rotated" };
  }
  return error.code === "admin_bound_to_user"
    ? { code: "body_invalid", pointer: "/scopes", detail: "an admin key cannot be bound to a user" }
    : { code: "not_found" };
}

export const adminKeyRoutes = [
  route({
    method: "POST",
    path: "/v1/admin/keys",
    operationId: "createKey",
    area: "admin",
    summary: "Make an API key of the tenant",
    access: "admin",
    body: newKeySchema,
    replies: { 201: { description: "The key, shown once", schema: madeKeySchema } },
    problems: ["database_unavailable"],
    async handle(call, { body }) {
      const expiresAtMs = body.expires_at === undefined ? null : Date.parse(body.expires_at);
      const request = {
        tenantId: principalOf(call).tenantId,
        userId: body.user_id ?? "",
        scopes: body.scopes,
        label: body.label,
        expiresAtMs,
      };
      const key = await createKey(call.context, request);
      return key.ok ? ok(made(key.value)) : err(problemOf(key.error));
    },
  }),
  route({
    method: "GET",
    path: "/v1/admin/keys",
    operationId: "listKeys",
    area: "admin",
    summary: "API keys of the tenant, newest first",
    access: "admin",
    query: z.strictObject({
      before: z.string().max(64).default("").describe("key_id of the last one of the page before"),
      limit: z.coerce.number().int().min(1).max(LIMITS.pageRowsMax).default(100),
    }),
    replies: { 200: { description: "One page", schema: z.object({ keys: z.array(keyOnWireSchema) }) } },
    problems: ["database_unavailable"],
    async handle(call, { query }) {
      const page = { tenantId: principalOf(call).tenantId, beforeKeyId: query.before, rowsMax: query.limit };
      const keys = await listKeys(call.context, page);
      if (!keys.ok) return err(problemOf(keys.error));
      const own = ownTenantRows("keys", page.tenantId, keys.value);
      return own.ok ? ok(json({ keys: own.value.map(onWire) })) : own;
    },
  }),
  route({
    method: "POST",
    path: "/v1/admin/keys/:id/rotate",
    operationId: "rotateKey",
    area: "admin",
    summary: "Replace an API key; both work during the overlap",
    access: "admin",
    body: z.strictObject({
      overlap_seconds: z
        .int()
        .min(0)
        .max(OVERLAP_SECONDS_MAX)
        .default(24 * 60 * 60),
    }),
    replies: { 201: { description: "The new key, shown once", schema: madeKeySchema } },
    problems: ["conflict", "database_unavailable"],
    async handle(call, { body }) {
      const rotation = {
        tenantId: principalOf(call).tenantId,
        keyId: call.params["id"] ?? "",
        overlapSeconds: body.overlap_seconds,
      };
      const key = await rotateKey(call.context, rotation);
      return key.ok ? ok(made(key.value)) : err(problemOf(key.error));
    },
  }),
  route({
    method: "DELETE",
    path: "/v1/admin/keys/:id",
    operationId: "revokeKey",
    area: "admin",
    summary: "Revoke an API key; it stops working within 10 seconds",
    access: "admin",
    replies: { 200: { description: "Revoked", schema: z.object({ key_id: z.string(), copy_revoked: z.boolean() }) } },
    problems: ["not_found", "database_unavailable"],
    async handle(call) {
      const { context } = call;
      const keyId = call.params["id"] ?? "";
      const revoked = await revokeKey({ ...context, copies: context.keyCopies }, principalOf(call).tenantId, keyId);
      if (!revoked.ok) return err(problemOf(revoked.error));
      return ok(json({ key_id: keyId, copy_revoked: revoked.value.copyRevoked }));
    },
  }),
];
