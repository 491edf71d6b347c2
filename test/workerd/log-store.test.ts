import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { LOG_SCHEMA } from "../../src/lib/session/log-schema.ts";
import { LogStore } from "../../src/lib/session/log-store.ts";
import { stubOf } from "./support/session.ts";

const SESSION = { userId: "ann", sessionId: "old", token: "" };
const JUDGED_BY = { gateVersion: "g", piiVersion: "p", policyVersion: 0, duplicates: null };

describe("a log that was opened before its batches had a trace", () => {
  it("keeps the batches that wait in it, and those that come have one", async () => {
    await runInDurableObject(stubOf("log-store", SESSION), (_, { storage: { sql } }) => {
      for (const statement of LOG_SCHEMA) sql.exec(statement);
      sql.exec("alter table batches drop column trace_id");
      sql.exec(`insert into batches values (1, 2, 'first', 'closed', 10, 5, 'r', '${JSON.stringify(JUDGED_BY)}')`);
      const store = new LogStore(sql);
      expect(store.nextBatch()).toMatchObject({ walId: "first", requestId: "r", traceId: null });
      const batch = {
        walId: "second",
        firstSeq: 3,
        openedAtMs: 6,
        requestId: "s",
        traceId: "4bf9",
        judgedBy: JUDGED_BY,
      };
      new LogStore(sql).insertBatch(batch);
      expect(store.openBatch()).toMatchObject({ walId: "second", traceId: "4bf9" });
    });
  });
});
