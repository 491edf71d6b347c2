import { ok } from "../../../lib/base/result.ts";
import { rescanReplySchema, rescanRequestSchema } from "../../../lib/contract/pii-rescan.ts";
import { rescanPii } from "../../../lib/flows/reentry/rescan-pii.ts";
import { json } from "../respond.ts";
import { principalOf, route } from "../route.ts";

export const adminPiiRoutes = [
  route({
    method: "POST",
    path: "/v1/admin/pii/rescan",
    operationId: "rescanPii",
    area: "admin",
    summary: "Apply newer rules for personal data to stored documents, one page a call",
    description:
      "What the rules change is redacted and embedded anew. Call again with `next` as `after` until it is null. " +
      "With dry_run nothing changes.",
    access: "admin",
    body: rescanRequestSchema,
    replies: { 200: { description: "What became of the page", schema: rescanReplySchema } },
    problems: ["pii_key_missing", "database_unavailable"],
    async handle(call, { body }) {
      const rescanned = await rescanPii(call.context, principalOf(call), body);
      if (rescanned.ok) call.facts["redacted"] = rescanned.value.redacted_count;
      return rescanned.ok ? ok(json(rescanned.value)) : rescanned;
    },
  }),
];
