import { z } from "zod";
import { LIMITS } from "../../../lib/base/limits.ts";
import { err, ok, type Result } from "../../../lib/base/result.ts";
import { instantSchema } from "../../../lib/contract/instant.ts";
import type { Problem } from "../../../lib/contract/problem.ts";
import {
  profileDiffSchema,
  profileHistorySchema,
  profileSchema,
  putProfileReplySchema,
  putProfileSchema,
  type PutProfileReply,
} from "../../../lib/contract/profile.ts";
import { userIdSchema } from "../../../lib/contract/scope.ts";
import { putProfile } from "../../../lib/flows/profiles/put-profile.ts";
import { compareProfile, listProfileHistory, readProfile } from "../../../lib/flows/profiles/read-profile.ts";
import type { Context } from "../../context.ts";
import { json } from "../respond.ts";
import { principalOf, route, type Call } from "../route.ts";

/** Versions of one page when nothing is said. */
const PAGE_ROWS_DEFAULT = 100;

export const profileRoutes = [
  route({
    method: "PUT",
    path: "/v1/profiles/:user_id",
    operationId: "putProfile",
    area: "profiles",
    summary: "Set and remove facts of a user; each change is a version and will be found",
    description:
      'If-Match: "<version>" lets the change through only if the profile still has that version ("0": there is none). Repeating a request changes nothing.',
    access: "ingest",
    body: putProfileSchema,
    bodyBytesMax: LIMITS.profileBodyBytesMax,
    replies: { 200: { description: "Stored, with the version now", schema: putProfileReplySchema } },
    problems: [
      "user_forbidden",
      "parameter_invalid",
      "conflict",
      "database_unavailable",
      "pii_analyzer_unavailable",
      "pii_key_missing",
    ],
    async handle(call, { body }) {
      const userId = userOf(call);
      if (!userId.ok) return userId;
      const ifVersion = ifVersionOf(call.request.headers.get("if-match"));
      if (!ifVersion.ok) return ifVersion;
      const change = {
        userId: userId.value,
        body,
        ifVersion: ifVersion.value,
        requestId: call.requestId,
        traceId: call.traceId,
      };
      const reply = await putProfile(call.context, principalOf(call), change);
      if (!reply.ok) return reply;
      countChanges(call.context, reply.value);
      return ok(json(reply.value, 200, { etag: `"${reply.value.version}"` }));
    },
  }),
  route({
    method: "GET",
    path: "/v1/profiles/:user_id",
    operationId: "readProfile",
    area: "profiles",
    summary: "Facts of a user: now, as of a time, all versions, or what two times have apart",
    access: "search",
    query: z.strictObject({
      as_of: instantSchema.optional().describe("facts that held then"),
      from: instantSchema.optional().describe("with `to`: what changed between the two"),
      to: instantSchema.optional(),
      history: z.enum(["0", "1"]).optional().describe("1: all versions, as they were recorded"),
      after: z.string().max(200).optional().describe("with history: `next` of the page before"),
      limit: z.coerce.number().int().min(1).max(LIMITS.pageRowsMax).default(PAGE_ROWS_DEFAULT),
    }),
    replies: {
      200: {
        description: "The profile, its history, or the difference",
        schema: z.union([profileSchema, profileHistorySchema, profileDiffSchema]),
      },
    },
    problems: ["not_found", "user_forbidden", "database_unavailable"],
    async handle(call, { query }) {
      const user = userOf(call);
      if (!user.ok) return user;
      const { context } = call;
      const principal = principalOf(call);
      const userId = user.value;
      const { as_of: asOf = null, from, to, after = null } = query;
      if ((from === undefined) !== (to === undefined))
        return err({ code: "parameter_invalid", pointer: "/from", detail: "from and to go together" });
      if (from !== undefined && to !== undefined) {
        const diff = await compareProfile(context, principal, { userId, from, to });
        return diff.ok ? ok(json(diff.value)) : diff;
      }
      if (query.history === "1") {
        const history = await listProfileHistory(context, principal, { userId, after, rowsMax: query.limit });
        return history.ok ? ok(json(history.value)) : history;
      }
      const profile = await readProfile(context, principal, { userId, asOf });
      return profile.ok ? ok(json(profile.value, 200, { etag: `"${profile.value.version}"` })) : profile;
    },
  }),
];

function userOf(call: Call): Result<string, Problem> {
  const userId = userIdSchema.safeParse(call.params["user_id"]);
  return userId.success ? ok(userId.data) : err({ code: "parameter_invalid", pointer: "/user_id" });
}

/** The version in an If-Match header, null where there is none. */
function ifVersionOf(header: string | null): Result<number | null, Problem> {
  if (header === null) return ok(null);
  const version = /^"(\d{1,15})"$/.exec(header.trim())?.[1];
  if (version !== undefined) return ok(Number(version));
  return err({ code: "parameter_invalid", pointer: "/if-match", detail: 'If-Match takes one version, as in "3"' });
}

function countChanges({ metrics }: Context, { facts, refused }: PutProfileReply): void {
  for (const { change } of facts) metrics.count("profile_changes_total", { cause: "put", change });
  metrics.count("profile_changes_total", { cause: "put", change: "refused" }, refused.length);
}
