import { z } from "zod";
import type { Result } from "../base/result.ts";
import { decodeInputs, type EmbedCall, type Input } from "./embed-call.ts";
import type { EmbedFailure } from "./embed-failure.ts";
import type { EmbedReply } from "./embed-service.ts";

/** How one API speaks: its request, its reply and its errors. */
export type Contract = {
  readonly decode: (body: unknown) => Result<EmbedCall, EmbedFailure>;
  readonly answer: (reply: EmbedReply, call: EmbedCall) => Response;
  readonly fail: (failure: EmbedFailure) => Response;
};

/** A field of inputs; see `decodeInputs`. */
export const inputsField = z.unknown().transform((value, context): readonly Input[] => {
  const inputs = decodeInputs(value);
  if (inputs !== undefined) return inputs;
  context.addIssue({ code: "custom", message: "expected a string, strings, token ids or lists of token ids" });
  return z.NEVER;
});

/** Fields that both contracts take: text-embeddings-inference's own, and our extensions of OpenAI's. Null is taken for absent. */
export const commonFields = {
  truncate: z.boolean().nullish(),
  truncation_direction: z.enum(["left", "right", "Left", "Right"]).nullish(),
  prompt_name: z.string().nullish(),
  dimensions: z.int().positive().nullish(),
};

type CommonFields = z.infer<z.ZodObject<typeof commonFields>>;

/** The common fields as the server knows them. */
export function commonOf(
  fields: CommonFields,
): Pick<EmbedCall, "truncate" | "truncateSide" | "dimensions" | "promptName"> {
  return {
    truncate: fields.truncate ?? false,
    truncateSide: fields.truncation_direction?.toLowerCase() === "left" ? "left" : "right",
    dimensions: fields.dimensions ?? undefined,
    promptName: fields.prompt_name ?? undefined,
  };
}

/** What is wrong, by field and rule. Names of fields and types only: no value of the request. */
export function invalidRequest(error: z.ZodError): EmbedFailure {
  const issue = error.issues[0];
  const param = issue === undefined || issue.path.length === 0 ? null : String(issue.path[0]);
  const rule = issue?.code === "custom" ? issue.message : "expected another type or value";
  return { code: "invalid_request", message: `${param ?? "body"}: ${rule}`, param };
}
