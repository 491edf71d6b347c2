import { z } from "zod";
import { err, ok, type Result } from "../../../lib/base/result.ts";
import {
  compareModelsSchema,
  modelComparisonSchema,
  modelCoverageListSchema,
  modelListSchema,
  modelSchema,
  promotionSchema,
} from "../../../lib/contract/model.ts";
import type { Problem } from "../../../lib/contract/problem.ts";
import { compareModels } from "../../../lib/flows/models/compare-models.ts";
import { listModels } from "../../../lib/flows/models/list-models.ts";
import { modelCoverage } from "../../../lib/flows/models/model-coverage.ts";
import { promoteModel } from "../../../lib/flows/models/promote-model.ts";
import { retireModel } from "../../../lib/flows/models/retire-model.ts";
import { rollBackModel } from "../../../lib/flows/models/roll-back-model.ts";
import { registerModel } from "../../../lib/flows/models/register-model.ts";
import { queryNumber } from "../query-number.ts";
import { json } from "../respond.ts";
import { route, type Call } from "../route.ts";

/** Tenants of one reply: each is counted in the store. */
const COVERAGE_TENANTS_MAX = 100;

const forceSchema = z.strictObject({
  force: z
    .boolean()
    .default(false)
    .describe("although documents lack vectors of the model: they are not found until they have some"),
});

function modelIdOf({ params }: Call): Result<number, Problem> {
  const parsed = z.coerce.number().int().min(1).max(2_147_483_647).safeParse(params["model_id"]);
  return parsed.success ? ok(parsed.data) : err({ code: "not_found" });
}

export const adminModelRoutes = [
  route({
    method: "GET",
    path: "/v1/admin/models",
    operationId: "listModels",
    area: "admin",
    summary: "Registered embedding models",
    access: "admin",
    replies: { 200: { description: "All models, oldest first", schema: modelListSchema } },
    problems: ["database_unavailable"],
    async handle(call) {
      const models = await listModels(call.context.sql);
      return models.ok ? ok(json({ models: models.value })) : models;
    },
  }),
  route({
    method: "POST",
    path: "/v1/admin/models",
    operationId: "registerModel",
    area: "admin",
    summary: "Register the model that an embedding server runs",
    access: "operator",
    body: z.strictObject({
      activate: z.boolean().default(false).describe("make it the active model if there is none"),
      server: z
        .enum(["current", "next"])
        .default("current")
        .describe("current: that of EMBED_ENDPOINT; next: that of EMBED_ENDPOINT_NEXT"),
    }),
    replies: { 200: { description: "The model", schema: modelSchema } },
    problems: ["embedder_unavailable", "embedder_mismatch", "conflict", "database_unavailable", "storage_unavailable"],
    async handle({ context }, { body }) {
      const embedder = context.embedders[body.server === "current" ? 0 : 1];
      if (embedder === undefined) return err({ code: "conflict", detail: "EMBED_ENDPOINT_NEXT is not set" });
      const model = await registerModel(context, { embedder, activate: body.activate });
      return model.ok ? ok(json(model.value)) : model;
    },
  }),
  route({
    method: "GET",
    path: "/v1/admin/models/:model_id/coverage",
    operationId: "readModelCoverage",
    area: "operator",
    summary: "How far a model has come, tenant by tenant, counted in the store",
    access: "operator",
    query: z.strictObject({
      after: z.string().max(48).default("").describe("tenant to go on after"),
      limit: z.coerce.number().int().min(1).max(COVERAGE_TENANTS_MAX).default(50),
      price: queryNumber(z.coerce.number().min(0).max(1_000_000))
        .optional()
        .describe("of a million tokens, for the costs"),
    }),
    replies: { 200: { description: "One page", schema: modelCoverageListSchema } },
    problems: ["not_found", "database_unavailable"],
    async handle(call, { query }) {
      const modelId = modelIdOf(call);
      if (!modelId.ok) return modelId;
      const page = { modelId: modelId.value, afterTenant: query.after, tenantsMax: query.limit };
      const found = await modelCoverage(call.context, { ...page, millionTokensPrice: query.price });
      return found.ok ? ok(json({ model_id: modelId.value, ...found.value })) : found;
    },
  }),
  route({
    method: "POST",
    path: "/v1/admin/models/:model_id/compare",
    operationId: "compareModels",
    area: "operator",
    summary: "How a model and the active one answer the same queries of a tenant",
    description:
      "Overlap of the first k documents and how ranks move, by vectors alone and as a search answers. Numbers only.",
    access: "operator",
    body: compareModelsSchema,
    bodyBytesMax: 2 * 1024 * 1024,
    replies: { 200: { description: "The comparison", schema: modelComparisonSchema } },
    problems: ["not_found", "conflict", "embedder_unavailable", "embedder_mismatch", "database_unavailable"],
    async handle(call, { body }) {
      const modelId = modelIdOf(call);
      if (!modelId.ok) return modelId;
      const compared = await compareModels(call.context, modelId.value, body);
      return compared.ok ? ok(json(compared.value)) : compared;
    },
  }),
  route({
    method: "POST",
    path: "/v1/admin/models/:model_id/promote",
    operationId: "promoteModel",
    area: "operator",
    summary: "Make a model the active one",
    description:
      "Refused while documents lack its vectors. Indexing waits for at most a minute, in which what came last is embedded; searches go on. Asking again " +
      "completes what was interrupted.",
    access: "operator",
    body: forceSchema,
    replies: { 200: { description: "What was done", schema: promotionSchema } },
    problems: ["not_found", "conflict", "database_unavailable"],
    async handle(call, { body }) {
      const modelId = modelIdOf(call);
      if (!modelId.ok) return modelId;
      const promoted = await promoteModel(call.context, { modelId: modelId.value, isForced: body.force });
      return promoted.ok ? ok(json(promoted.value)) : promoted;
    },
  }),
  route({
    method: "POST",
    path: "/v1/admin/models/rollback",
    operationId: "rollBackModel",
    area: "operator",
    summary: "Make the model that was active before the active one again",
    access: "operator",
    body: forceSchema,
    replies: { 200: { description: "What was done", schema: promotionSchema } },
    problems: ["conflict", "database_unavailable"],
    async handle(call, { body }) {
      const promoted = await rollBackModel(call.context, { isForced: body.force });
      return promoted.ok ? ok(json(promoted.value)) : promoted;
    },
  }),
  route({
    method: "POST",
    path: "/v1/admin/models/:model_id/retire",
    operationId: "retireModel",
    area: "operator",
    summary: "End a model that is not active: the job reembed removes its vectors",
    access: "operator",
    replies: { 200: { description: "The models as they are now", schema: modelListSchema } },
    problems: ["not_found", "conflict", "database_unavailable"],
    async handle(call) {
      const modelId = modelIdOf(call);
      if (!modelId.ok) return modelId;
      const retired = await retireModel(call.context, modelId.value);
      if (!retired.ok) return retired;
      const models = await listModels(call.context.sql);
      return models.ok ? ok(json({ models: models.value })) : models;
    },
  }),
];
