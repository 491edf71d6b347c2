/** What the service says afterwards of each request that it accepted: by receipts, from outside. */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { ApiClient } from "../../src/cli/api-client.ts";
import { receiptSchema, type Receipt } from "../../src/lib/contract/receipt.ts";
import type { Sent } from "./send-document.ts";

const receiptsSchema = z.object({ receipts: z.array(receiptSchema) });

export interface Ended {
  readonly outcome: string;
  readonly chunkCount: number;
  readonly reusedCount: number;
  /**
   * Milliseconds since 1970 by the database's clock, which is this machine's: the beginning of the transaction that made the document searchable.
   * Its texts were embedded before; until its end it is a few milliseconds more.
   */
  readonly appliedAtMs: number;
}

const COUNTED_AT_ONCE = 4;
/** Seldom: the service is still at work, and is not to be kept from it by questions. */
const POLL_MS = 1_000;

/**
 * Waits until each accepted request has ended, at most until `giveUpMs` from now, and returns how, in the order of `sent`; undefined for what was not
 * accepted, and for what is lost: no receipt, or none that says how it ended.
 */
export async function recount(
  url: string,
  sent: readonly Sent[],
  giveUpMs: number,
): Promise<readonly (Ended | undefined)[]> {
  const ended = sent.map((): Ended | undefined => undefined);
  const deadlineMs = performance.now() + giveUpMs;
  let next = 0;
  const count = async (): Promise<void> => {
    while (next < sent.length) {
      const index = next++;
      const request = sent[index];
      if (request?.token === null || request === undefined) continue;
      ended[index] = await untilEnded(new ApiClient(url, request.key), request.token, deadlineMs);
    }
  };
  await Promise.all(Array.from({ length: COUNTED_AT_ONCE }, count));
  return ended;
}

async function untilEnded(api: ApiClient, token: string, deadlineMs: number): Promise<Ended | undefined> {
  for (;;) {
    const { receipts } = await api.json(receiptsSchema, { path: `/v1/receipts?batch_tag=${token}` });
    const [receipt] = receipts;
    if (receipts.length > 1) throw new Error(`request ${token} has ${receipts.length} receipts for its one document`);
    if (receipt !== undefined && receipt.outcome !== null && receipt.applied_at !== null) {
      return {
        outcome: receipt.outcome,
        chunkCount: receipt.chunk_count,
        reusedCount: receipt.chunk_reused_count,
        appliedAtMs: Date.parse(receipt.applied_at),
      };
    }
    if (performance.now() > deadlineMs) return undefined;
    await sleep(POLL_MS);
  }
}

export interface Verified {
  readonly asked: number;
  /** Receipts that the store agrees with, counted in it now. */
  readonly held: number;
}

/** Has the store counted again for some of the requests, evenly spread. */
export async function verifySome(url: string, sent: readonly Sent[], count: number): Promise<Verified> {
  const accepted = sent.filter(({ token }) => token !== null);
  const step = Math.max(1, Math.floor(accepted.length / count));
  let [asked, held] = [0, 0];
  for (let index = 0; index < accepted.length; index += step) {
    const { key, token } = accepted[index] ?? { key: "", token: null };
    const receipt: Receipt = await new ApiClient(url, key).json(receiptSchema, {
      path: `/v1/receipts/${token}-0?verify=1`,
    });
    asked += 1;
    if (receipt.proof?.holds === true) held += 1;
  }
  return { asked, held };
}
