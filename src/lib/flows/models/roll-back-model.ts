import { err, type Result } from "../../base/result.ts";
import type { Promotion } from "../../contract/model.ts";
import type { Problem } from "../../contract/problem.ts";
import { listStoredModels } from "./list-models.ts";
import { promoteModel, type PromoteContext } from "./promote-model.ts";

/** Makes the model that was active before the active one the active one again, by the same rules: it has been kept complete since. */
export async function rollBackModel(
  context: PromoteContext,
  { isForced }: { readonly isForced: boolean },
): Promise<Result<Promotion, Problem>> {
  const stored = await listStoredModels(context.sql);
  if (!stored.ok) return stored;
  const [latest] = stored.value
    .flatMap(({ model_id: modelId, state, deactivated_at: at }) =>
      state === "shadow" && at !== null ? [{ modelId, atMs: at.getTime() }] : [],
    )
    .sort((a, b) => b.atMs - a.atMs);
  if (latest === undefined) return err({ code: "conflict", detail: "no model that was active before is still kept" });
  return promoteModel(context, { modelId: latest.modelId, isForced });
}
