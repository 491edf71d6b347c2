import { z } from "zod";
import { ApiClient } from "../api-client.ts";

/** Registers the embedding server's model and makes it the active one if there is none. Repeating it changes nothing. */
export async function ensureActiveModel(baseUrl: string, operatorKey: string): Promise<void> {
  await new ApiClient(baseUrl, operatorKey).json(z.looseObject({}), {
    method: "POST",
    path: "/v1/admin/models",
    json: { activate: true },
  });
}
