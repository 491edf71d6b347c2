import { z } from "zod";
import { ok } from "../../../lib/base/result.ts";
import { listModels, modelSchema, registerModel } from "../../../lib/flows/register-model.ts";
import { json } from "../respond.ts";
import { route } from "../route.ts";

export const adminModelRoutes = [
  route({
    method: "GET",
    path: "/v1/admin/models",
    operationId: "listModels",
    area: "admin",
    summary: "Registered embedding models",
    access: "admin",
    replies: { 200: { description: "All models, oldest first", schema: z.object({ models: z.array(modelSchema) }) } },
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
    summary: "Register the model that the embedding server runs",
    access: "operator",
    body: z.strictObject({
      activate: z.boolean().default(false).describe("make it the active model if there is none"),
    }),
    replies: { 200: { description: "The model", schema: modelSchema } },
    problems: ["embedder_unavailable", "embedder_mismatch", "conflict", "database_unavailable", "storage_unavailable"],
    async handle(call, { body }) {
      const model = await registerModel(call.context, { activate: body.activate });
      return model.ok ? ok(json(model.value)) : model;
    },
  }),
];
