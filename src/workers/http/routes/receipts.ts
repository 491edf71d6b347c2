import { z } from "zod";
import { LIMITS } from "../../../lib/base/limits.ts";
import { ok } from "../../../lib/base/result.ts";
import { receiptSchema } from "../../../lib/contract/receipt.ts";
import { batchTagSchema } from "../../../lib/contract/scope.ts";
import { outcomeSchema } from "../../../lib/contract/verdict.ts";
import { listReceipts, readReceipt } from "../../../lib/flows/batches/read-receipts.ts";
import { json } from "../respond.ts";
import { principalOf, route } from "../route.ts";

export const receiptRoutes = [
  route({
    method: "GET",
    path: "/v1/receipts",
    operationId: "listReceipts",
    area: "proof",
    summary: "What became of each input of a batch",
    access: "any",
    query: z.strictObject({
      batch_tag: batchTagSchema,
      outcome: outcomeSchema.optional(),
      after: z.string().optional().describe("last receipt id of the page before"),
      limit: z.coerce.number().int().min(1).max(LIMITS.pageRowsMax).default(100),
    }),
    replies: { 200: { description: "One page", schema: z.object({ receipts: z.array(receiptSchema) }) } },
    problems: ["database_unavailable"],
    async handle(call, { query }) {
      const page = {
        batchTag: query.batch_tag,
        outcome: query.outcome ?? null,
        after: query.after ?? null,
        rowsMax: query.limit,
      };
      const receipts = await listReceipts(call.context, principalOf(call), page);
      return receipts.ok ? ok(json({ receipts: receipts.value })) : receipts;
    },
  }),
  route({
    method: "GET",
    path: "/v1/receipts/:id",
    operationId: "readReceipt",
    area: "proof",
    summary: "What became of one input; verify=1 counts in the store now",
    access: "any",
    query: z.strictObject({ verify: z.enum(["0", "1"]).optional() }),
    replies: { 200: { description: "The receipt", schema: receiptSchema } },
    problems: ["not_found", "database_unavailable", "storage_unavailable"],
    async handle(call, { query }) {
      const request = { id: call.params["id"] ?? "", verify: query.verify === "1" };
      const receipt = await readReceipt(call.context, principalOf(call), request);
      return receipt.ok ? ok(json(receipt.value)) : receipt;
    },
  }),
];
