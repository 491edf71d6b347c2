/** Broken promises, made from outside: the product has no switch for them. A recount that does not see them is worth nothing. */
import { z } from "zod";
import { ulidFactory } from "../../src/lib/base/ids.ts";
import type { AcceptReply } from "../../src/lib/contract/accept-reply.ts";
import { walKey } from "../../src/lib/wal/wal-key.ts";
import { expectOk, statement } from "../support/database.ts";
import type { ChaosSystem } from "./parts/chaos-system.ts";
import { openProxy, type Proxy } from "../support/http-proxy.ts";
import type { ToldRequest } from "./told.ts";

/** `ack`: a 202 whose request was thrown away. `ledger`: a range whose ledger row is gone. `wal`: an accepted WAL object that is gone. */
export const PLANTS = ["ack", "ledger", "wal"] as const;
export type Plant = (typeof PLANTS)[number];

const bodySchema = z.object({ batch_tag: z.string(), documents: z.array(z.object({ id: z.string() })) });

/** Before the API: answers the first request for documents itself, whenever it comes, as a service would that forgets to store. */
export async function openLiar(targetUrl: string): Promise<Proxy> {
  let lie: { readonly key: string | undefined; readonly body: string } | undefined;
  return openProxy(targetUrl, ({ path, header, body }) => {
    const key = header("idempotency-key");
    if (path !== "/v1/documents" || (lie !== undefined && lie.key !== key)) return { kind: "pass" };
    lie ??= { key, body: JSON.stringify(replyTo(body)) };
    return { kind: "answer", status: 202, body: lie.body };
  });
}

function replyTo(body: Buffer): AcceptReply {
  const { batch_tag, documents } = bodySchema.parse(JSON.parse(body.toString("utf8")));
  const token = ulidFactory(() => Date.now(), Math.random)();
  const receipts = documents.map(({ id }, index) => ({
    id: `${token}-${index}`,
    index,
    document_id: id,
    status: "accepted" as const,
    reasons: [],
  }));
  return { batch_tag, token, accepted: documents.length, duplicate: 0, quarantined: 0, rejected: 0, receipts };
}

/** Loses what is stored of an accepted request. */
export async function loseStored(system: ChaosSystem, request: ToldRequest, what: "ledger" | "wal"): Promise<void> {
  const walId = request.replies[0]?.token ?? "";
  if (what === "wal") return (await system.bucket()).delete(walKey(request.tenantId, walId));
  const text = "delete from wal_ledger where tenant_id = $1 and wal_id = $2";
  expectOk(await system.database.ownerSql.query(statement(text, request.tenantId, walId)));
}
