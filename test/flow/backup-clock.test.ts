/** Backups of a machine whose clock jumps: the newest is the one that was made last, whatever the clock said. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eraseDocument } from "../../src/lib/flows/deletions/erase-document.ts";
import { FULLS_KEPT } from "../../src/lib/flows/backups/expire-backups.ts";
import { createTenant } from "../../src/lib/flows/keys/manage-keys.ts";
import { expectOk, type TestDatabase } from "../support/database.ts";
import { rowSetHashes } from "../support/row-set-hash.ts";
import { backUp, openRestored } from "./support/backups.ts";
import { distinctText } from "./support/distinct-text.ts";
import { openWorld, principalOf, type World } from "./support/world.ts";

const TENANT = "jumping";
const WEEK_HOURS = 7 * 24;
const YEAR_HOURS = 365 * 24;

describe("backups while the clock jumps", () => {
  let world: World;
  const opened: TestDatabase[] = [];
  beforeEach(async () => {
    world = await openWorld();
    world.nowMs = Date.now();
    expectOk(await createTenant(world.database.ownerSql, TENANT, TENANT));
    await send("first");
    expect(await backUp(world)).toMatchObject({ kind: "full" });
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((each) => each.close()));
    await world?.close();
  });

  async function send(id: string): Promise<void> {
    await world.ingest(TENANT, [{ id, text: distinctText(id) }]);
    await world.indexQueued();
  }

  /** What a restore of the newest backup gives is what there is. */
  async function expectNewest(backupId: string): Promise<void> {
    const database = await openRestored(world);
    opened.push(database);
    expect(database.report).toMatchObject({ state: "done", backup_id: backupId, missing_document_count: 0 });
    expect(await rowSetHashes(database.ownerSql)).toEqual(await rowSetHashes(world.database.ownerSql));
  }

  it("restores the last one after the clock went back some hours", async () => {
    await send("second");
    await backUp(world);
    await send("third");
    const last = await backUp(world, { afterHours: -3 });
    expect(last).toMatchObject({ state: "done" });
    await expectNewest(last.backup_id);
  });

  it("restores the last one after the clock was a year ahead for a night, with deltas and full ones as ever", async () => {
    await send("second");
    const ahead = await backUp(world, { afterHours: YEAR_HOURS });
    expect(ahead).toMatchObject({ kind: "full" });
    await send("third");
    const right = await backUp(world, { afterHours: 24 - YEAR_HOURS });
    expect(right).toMatchObject({ kind: "full" });
    await expectNewest(right.backup_id);
    await send("fourth");
    const delta = await backUp(world, { afterHours: 24 });
    expect(delta).toMatchObject({ kind: "delta", base: right.backup_id });
    await expectNewest(delta.backup_id);
    expect(await backUp(world, { afterHours: WEEK_HOURS })).toMatchObject({ kind: "full", base: null });
  });

  it("keeps records of deletions that a kept backup needs, though one of them was made in a year to come", async () => {
    await backUp(world, { afterHours: YEAR_HOURS });
    await backUp(world, { afterHours: 24 - YEAR_HOURS });
    const name = { documentId: "first", tier: "doc", userId: "" } as const;
    expectOk(await eraseDocument(world.context(), principalOf(TENANT), name));
    const records = async (): Promise<number> =>
      (await world.bucket.list({ prefix: `deletions/${TENANT}/` })).objects.length;
    // The one of the year to come is the oldest that is kept, after these.
    for (let week = 0; week < FULLS_KEPT - 2; week += 1) await backUp(world, { afterHours: WEEK_HOURS });
    expect(await records()).toBe(1);
    for (let week = 0; week < FULLS_KEPT; week += 1) await backUp(world, { afterHours: WEEK_HOURS });
    expect(await records()).toBe(0);
  });
});
