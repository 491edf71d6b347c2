import { z } from "zod";
import { batchStatusSchema, type BatchStatus } from "../../lib/contract/batch.ts";
import { useSession } from "../service/session.ts";
import { useLoaded, type Loaded } from "../service/use-loaded.ts";

const batchListSchema = z.object({ batches: z.array(batchStatusSchema) });
const EVERY_MS = 4_000;

/** Latest batches of the tenant, kept up to date. */
export function useBatches(rowsMax: number): Loaded<readonly BatchStatus[]> {
  const { api } = useSession();
  return useLoaded(
    async (signal) =>
      (await api.ask({ path: `/v1/batches?limit=${rowsMax}`, schema: batchListSchema, signal })).batches,
    [api, rowsMax],
    EVERY_MS,
  );
}
