import { z } from "zod";
import { LIMITS } from "../../../lib/base/limits.ts";
import { err, ok, type Result } from "../../../lib/base/result.ts";
import { BODY_MEDIA_TYPES } from "../../../lib/body/decode-body.ts";
import { acceptReplySchema, dryRunReplySchema } from "../../../lib/contract/accept-reply.ts";
import { documentInputSchema } from "../../../lib/contract/document.ts";
import type { Problem } from "../../../lib/contract/problem.ts";
import { batchTagSchema } from "../../../lib/contract/scope.ts";
import { accept, type Accepted } from "../../../lib/flows/ingest/accept.ts";
import { dryRun } from "../../../lib/flows/ingest/dry-run.ts";
import { countInputs } from "../../count-inputs.ts";
import { readBody } from "../read-body.ts";
import { json } from "../respond.ts";
import { principalOf, route, type Call } from "../route.ts";

const querySchema = z.strictObject({
  batch_tag: z.string().optional().describe("names the batch; the other way is a field of the body"),
  dry_run: z.enum(["0", "1"]).optional().describe("1: verdicts and counts only, nothing is written"),
});

export const ingestRoutes = [
  route({
    method: "POST",
    path: "/v1/documents",
    operationId: "ingestDocuments",
    area: "ingest",
    summary: "Accept 1 to 1000 documents for indexing",
    description:
      "The reply leaves after the documents are durable. Each one has a verdict of its own. Bodies may be compressed with gzip or zstd. " +
      "With an Idempotency-Key header the same body gets the same reply, another body 409.",
    access: "ingest",
    query: querySchema,
    body: z.object({
      documents: z.array(documentInputSchema).min(1).max(LIMITS.requestDocumentsMax),
      batch_tag: batchTagSchema.optional(),
    }),
    bodyMediaTypes: BODY_MEDIA_TYPES,
    replies: {
      200: { description: "Dry run: what would happen", schema: dryRunReplySchema },
      202: { description: "Durable; a receipt for each document", schema: acceptReplySchema },
    },
    problems: [
      "body_malformed",
      "body_truncated",
      "body_not_utf8",
      "body_too_deep",
      "body_invalid",
      "body_too_large",
      "body_bomb",
      "too_many_documents",
      "no_documents",
      "media_type_unsupported",
      "content_encoding_unsupported",
      "idempotency_key_invalid",
      "idempotency_key_reused",
      "rate_limited",
      "storage_unavailable",
      "pii_analyzer_unavailable",
      "pii_key_missing",
    ],
    async handle(call, { query }) {
      const isDryRun = query.dry_run === "1";
      const { ingestAdmission } = call.context;
      const admitted = ingestAdmission.admit({ bytes: announcedBytes(call.request), isDryRun });
      call.waitUntil(ingestAdmission.lookSoon());
      if (!admitted.ok) return refused(call, admitted.error);
      try {
        return await take(call, { batchTag: query.batch_tag ?? null, isDryRun });
      } finally {
        admitted.value.release();
      }
    },
  }),
];

/** A body without a length counts as none: it is read as it comes, and bounded by itself. */
function announcedBytes(request: Request): number {
  const bytes = Number(request.headers.get("content-length"));
  return Number.isFinite(bytes) && bytes > 0 ? bytes : 0;
}

async function take(
  call: Call,
  { batchTag, isDryRun }: { readonly batchTag: string | null; readonly isDryRun: boolean },
): Promise<Result<Response, Problem>> {
  const body = await readBody(call.request, LIMITS.requestBytesMax);
  if (!body.ok) return refused(call, body.error);
  const { headers } = call.request;
  const request = {
    principal: principalOf(call),
    requestId: call.requestId,
    traceId: call.traceId,
    body: body.value,
    headers: {
      contentType: headers.get("content-type") ?? "",
      contentEncoding: headers.get("content-encoding") ?? "",
    },
    batchTag,
    idempotencyKey: headers.get("idempotency-key"),
  };
  if (isDryRun) {
    const reply = await dryRun(call.context, request);
    return reply.ok ? ok(json(reply.value)) : reply;
  }
  const accepted = await accept(call.context, request);
  if (!accepted.ok) return refused(call, accepted.error);
  note(call, accepted.value);
  const { reply, replayed } = accepted.value;
  return ok(json(reply, 202, replayed ? { "idempotency-replayed": "true" } : {}));
}

function refused(call: Call, problem: Problem) {
  call.context.metrics.count("ingest_rejected_total", { code: problem.code });
  return err(problem);
}

/** Counts and logs what was accepted. A replay was counted the first time. */
function note(call: Call, { reply, replayed, queued, documents }: Accepted): void {
  const { metrics, log } = call.context;
  const { accepted, duplicate, quarantined, rejected } = reply;
  Object.assign(call.facts, {
    batch_tag: reply.batch_tag,
    wal_id: reply.token,
    accepted,
    duplicate,
    quarantined,
    rejected,
    replayed,
  });
  metrics.count("ingest_requests_total", { queue: replayed ? "replayed" : queued ? "queued" : "left_to_sweeper" });
  if (!queued) log.warn("queue_refused", { request_id: call.requestId, wal_id: reply.token });
  if (replayed) return;
  countInputs(metrics, documents);
}
