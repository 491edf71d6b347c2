import { z } from "zod";

/** What the bench asks of the stack's process, and what it answers, over Node's channel between processes. */
export const askSchema = z.discriminatedUnion("ask", [
  z.object({ ask: z.literal("key"), tenantId: z.string() }),
  z.object({ ask: z.literal("chunks"), tenantId: z.string(), file: z.string() }),
  z.object({ ask: z.literal("stop") }),
]);
export type Ask = z.infer<typeof askSchema>;

export const answerSchema = z.discriminatedUnion("answer", [
  z.object({ answer: z.literal("ready"), url: z.string(), embedEndpoint: z.string() }),
  z.object({ answer: z.literal("key"), key: z.string() }),
  z.object({ answer: z.literal("chunks"), chunkCount: z.int() }),
  z.object({ answer: z.literal("failed"), reason: z.string() }),
]);
export type Answer = z.infer<typeof answerSchema>;
