import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HOUR_MS } from "../../src/lib/base/durations.ts";
import { PACK_JOB } from "../../src/lib/flows/packs/pack-job.ts";
import { expectOk } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { eraseWhole } from "./support/erasures.ts";
import {
  applied,
  documentsOf,
  keysUnder,
  newTenant,
  openWorldOfNow,
  packedRecords,
  runPack,
  textOf,
  withoutWal,
} from "./support/packing.ts";
import { runTicked } from "./support/run-ticked.ts";
import type { World } from "./support/world.ts";

const backends = await availableBackends(["pglite", "native"]);

describe.each(backends)("packs of an erased user on %s", (backend) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorldOfNow(backend);
  });
  afterAll(() => world?.close());

  it("leaves no byte of an erased user in any pack, and the records of others as they were", async () => {
    const tenantId = await withoutWal(world, [
      ...documentsOf(["a", "b"], { user_id: "ann", text: `quillon marzipan ${textOf("x")}` }),
      ...documentsOf(["c", "d"], { user_id: "bob" }),
      ...documentsOf(["shared"]),
    ]);
    const former = await keysUnder(world, `packs/${tenantId}/`);
    const others = (await packedRecords(world, tenantId)).filter(({ user_id: userId }) => userId !== "ann");
    expect(others).toHaveLength(3);
    const certificate = await eraseWhole(world, { tenantId, userId: "ann" });
    expect(certificate.places).toMatchObject({ documents: { before: 2 }, pack_texts: { before: 2, after: 0 } });
    expect(await packedRecords(world, tenantId)).toEqual(others);
    const objects = await keysUnder(world, `packs/${tenantId}/`);
    expect(objects).toHaveLength(1);
    expect(objects).not.toEqual(former);
    const members = await world.rows(
      tenantId,
      `select m.position::int, m.user_id from artifact_members m join artifacts a using (tenant_id, artifact_id) where a.kind = 'pack' order by 1`,
    );
    expect(members).toEqual([
      { position: 0, user_id: "" },
      { position: 1, user_id: "bob" },
      { position: 2, user_id: "bob" },
    ]);
    const again = await eraseWhole(world, { tenantId, userId: "ann" });
    expect(again.places).toMatchObject({ pack_texts: { before: 0 } });
  });

  it("registers no pack of a user who was erased while it was made", async () => {
    const tenantId = newTenant();
    await applied(world, tenantId, [
      ...documentsOf(["a"], { user_id: "ann" }),
      ...documentsOf(["b"], { user_id: "bob" }),
    ]);
    world.nowMs += 2 * HOUR_MS;
    const context = world.context();
    let isErased = false;
    const erasing = {
      ...context,
      // Asked for when the records are read, and again when the pack is verified.
      loadZstd: async () => {
        if (!isErased) await eraseWhole(world, { tenantId, userId: "ann" });
        isErased = true;
        return context.loadZstd();
      },
    };
    const failed = expectOk(await runTicked(erasing, PACK_JOB));
    expect(failed).toMatchObject({ state: "failed", report: { failures: { user_erased: 1 } } });
    expect(await keysUnder(world, `packs/${tenantId}/`)).toEqual([]);
    expect(await runPack(world)).toMatchObject({ packCount: 1, packedDocumentCount: 1 });
  });
});
