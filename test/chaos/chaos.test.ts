import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ApiClient } from "../../src/cli/api-client.ts";
import { acceptReplySchema } from "../../src/lib/contract/accept-reply.ts";
import { walKey } from "../../src/lib/wal/wal-key.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { Campaign, type CampaignReport } from "./campaign.ts";
import { storeViolations, type Violation } from "./invariants.ts";
import { loseStored, openLiar } from "./plant.ts";
import { isSound, reportText } from "./report.ts";
import type { Told, ToldRequest } from "./told.ts";

/** Every kind of part is killed, the embedder lies, replies are lost after their commit and the disk is full. */
const SEED = Number(process.env["CHAOS_SEED"] ?? 3);
const KILLS = Number(process.env["CHAOS_KILLS"] ?? 6);

describe.each(await availableBackends(["native"]))("a campaign of faults, on PostgreSQL of kind %s", () => {
  let campaign: Campaign;
  let report: CampaignReport;

  beforeAll(async () => {
    const quiet = (): void => undefined;
    campaign = await Campaign.open({ seed: SEED, kills: KILLS, log: quiet, systemLog: quiet });
    report = await campaign.run();
  });
  afterAll(() => campaign?.close());

  const recounted = async (told: Told = campaign.told): Promise<readonly Violation[]> =>
    storeViolations(told, await campaign.readStore());
  const someRequest = (): ToldRequest => {
    const request = campaign.told.requests.find(({ replies }) => (replies[0]?.accepted ?? 0) > 0);
    if (request === undefined) throw new Error("nothing was accepted under load");
    return request;
  };

  it("leaves every promise kept", () => {
    expect(isSound(report), reportText(report)).toBe(true);
    const [last] = report.rounds.slice(-1);
    expect(last?.documentCount).toBeGreaterThan(20);
    expect(last?.eventCount).toBeGreaterThan(10);
  });

  it("finds a ledger row that is gone", async () => {
    const request = someRequest();
    const walId = request.replies[0]?.token ?? "";
    const object = (await campaign.readStore()).objects.find((each) => each.walId === walId);
    await loseStored(campaign.system, request, "ledger");
    expect(await recounted()).toMatchObject(
      Array.from({ length: object?.rangeCount ?? 0 }, (_, range) => ({
        invariant: "queue_is_drained",
        subject: `${request.tenantId}/${walId}#${range}`,
        detail: "not applied",
      })),
    );
  });

  it("finds an accepted WAL object that is gone", async () => {
    const request = someRequest();
    const walId = request.replies[0]?.token ?? "";
    const bucket = await campaign.system.bucket();
    const key = walKey(request.tenantId, walId);
    const kept = await bucket.get(key);
    const bytes = await kept?.arrayBuffer();
    await loseStored(campaign.system, request, "wal");
    const found = await recounted();
    if (kept !== null && bytes !== undefined)
      await bucket.put(key, bytes, {
        customMetadata: kept.customMetadata ?? {},
        httpMetadata: kept.httpMetadata ?? {},
      });
    expect(found).toContainEqual({
      invariant: "accepted_is_recoverable",
      subject: `${request.tenantId}/${walId}`,
      detail: "accepted, and there is no WAL object",
    });
  });

  it("finds a 202 whose request was thrown away", async () => {
    const liar = await openLiar(campaign.system.url);
    const document = { tenantId: "south", userId: "", documentId: "forgotten", text: "Nobody will ever store this." };
    const json = { batch_tag: "lie", documents: [{ id: document.documentId, text: document.text }] };
    const headers = { "idempotency-key": "lie" };
    const request = { method: "POST", path: "/v1/documents", json, headers } as const;
    const reply = await new ApiClient(liar.url, "").json(acceptReplySchema, request);
    await liar.close();
    const lie = { tenantId: "south", key: "lie", batchTag: "lie", documents: [document], replies: [reply] };
    const told = { ...campaign.told, requests: [...campaign.told.requests, lie] };
    expect(await recounted(told)).toContainEqual({
      invariant: "accepted_is_recoverable",
      subject: `south/${reply.token}`,
      detail: "accepted, and there is no WAL object",
    });
  });
});
