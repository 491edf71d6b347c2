import { z } from "zod";
import { err, ok } from "../base/result.ts";
import { commonFields, commonOf, inputsField, invalidRequest, type Contract } from "./contract.ts";
import { failureHeaders, failureShape, inputsOf } from "./embed-failure.ts";

const requestSchema = z.object({ inputs: inputsField, normalize: z.boolean().nullish(), ...commonFields });

/** The contract of text-embeddings-inference. */
export const TEI_CONTRACT: Contract = {
  decode(body) {
    const parsed = requestSchema.safeParse(body);
    if (!parsed.success) return err(invalidRequest(parsed.error));
    const { inputs, normalize } = parsed.data;
    return ok({ inputs, normalize: normalize ?? true, encoding: "float", ...commonOf(parsed.data) });
  },
  answer: (reply) => Response.json(reply.vectors.map((vector) => Array.from(vector))),
  fail(failure) {
    const { status, teiType, message } = failureShape(failure);
    const body = { error: message, error_type: teiType, code: failure.code, ...inputsOf(failure) };
    return Response.json(body, {
      status: failure.code === "input_too_long" ? 422 : status,
      headers: failureHeaders(failure),
    });
  },
};
