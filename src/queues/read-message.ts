import type { Message } from "@cloudflare/workers-types";
import type { z } from "zod";
import type { MessageContext } from "./settle-message.ts";

/**
 * What a message says. One that cannot be read goes back, and its attempts end in the dead-letter queue, whose consumer lists it: it has no tenant whose
 * rows could say so.
 */
export function readMessage<T>(
  message: Message,
  { schema, queue }: { readonly schema: z.ZodType<T>; readonly queue: string },
  { log, metrics }: Pick<MessageContext, "log" | "metrics">,
): T | undefined {
  const parsed = schema.safeParse(message.body);
  if (parsed.success) return parsed.data;
  log.error("message_malformed", { queue, message_id: message.id });
  metrics.retried("message_malformed");
  message.retry();
  return undefined;
}
