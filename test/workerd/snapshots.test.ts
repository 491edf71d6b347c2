import { expect, it } from "vitest";
import { snapshotCheckSchema, snapshotListSchema, snapshotPageSchema } from "../../src/lib/contract/snapshot.ts";
import { takeSnapshot } from "../../src/lib/flows/snapshots/take-snapshot.ts";
import { ask, makeKey, suiteEnv, suiteSql } from "./support/worker.ts";

// Not by the job: another suite may hold its lease, over the same database.
it("takes a snapshot in workerd, and its routes give back what it names", async () => {
  const { BUCKET: bucket } = suiteEnv();
  const { key: operator } = await makeKey("operations", ["operator"]);
  await bucket.put("wal/snapshots/1.mpz", "one object");
  const context = { bucket, clock: () => Date.now(), databases: new Map([["home", suiteSql()]]) };
  const taken = await takeSnapshot(context, { isSpent: () => false, isDryRun: false });
  expect(taken.state).toBe("complete");

  const { snapshots } = snapshotListSchema.parse((await ask("/v1/admin/snapshots", { key: operator })).json);
  const path = `/v1/admin/snapshots/hourly/${taken.id}`;
  expect(snapshots.find(({ kind, id }) => kind === "hourly" && id === taken.id)).toBeDefined();
  const page = snapshotPageSchema.parse((await ask(`${path}/objects`, { key: operator })).json);
  expect(page.objects.map(({ key }) => key)).toContain("wal/snapshots/1.mpz");
  const content = await ask(`${path}/content?key=wal%2Fsnapshots%2F1.mpz`, {
    key: operator,
    headers: { range: "bytes=-6" },
  });
  expect([content.status, content.text]).toEqual([206, "object"]);
  const checked = snapshotCheckSchema.parse((await ask(`${path}/verify`, { key: operator })).json);
  expect(checked).toMatchObject({ missing: 0, next_part: null });
});
