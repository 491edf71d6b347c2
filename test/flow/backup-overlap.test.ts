/** Two runs of the backup, both of which write: the first lost its lease in the middle of a file and does not know it yet. */
import { expect, it } from "vitest";
import { BACKUP_JOB } from "../../src/lib/flows/backups/backup-job.ts";
import { createTenant } from "../../src/lib/flows/keys/manage-keys.ts";
import { expectOk, statement } from "../support/database.ts";
import { backUp, backupContext, openRestored, sweepAll } from "./support/backups.ts";
import { distinctText } from "./support/distinct-text.ts";
import { runTicked } from "./support/run-ticked.ts";
import { openWorld } from "./support/world.ts";

const TENANT = "overlapping";

it.each(["ledger-1", "documents-1", "rows-1", "tenant.json"])(
  "a backup that another run took over while it wrote %s is whole",
  async (name) => {
    const world = await openWorld();
    world.nowMs = Date.now();
    const send = async (id: string): Promise<void> => {
      await world.ingest(TENANT, [{ id, text: distinctText(id) }]);
      await world.indexQueued();
    };
    expectOk(await createTenant(world.database.ownerSql, TENANT, TENANT));
    await send("first");
    const context = backupContext(world);
    const { bucket } = context;
    let overtaken: Awaited<ReturnType<typeof backUp>> | undefined;
    const overtake = async (): Promise<void> => {
      const expire = statement("update job_leases set expires_at = now() - interval '1 second'");
      expectOk(await world.database.ownerSql.query(expire));
      await send("second");
      overtaken = await backUp(world);
    };
    const slow = new Proxy(bucket, {
      get: (target, member) => {
        const own: unknown = Reflect.get(target, member);
        if (typeof own !== "function") return own;
        return async (...args: unknown[]): Promise<unknown> => {
          const isWrite = member === "put" && String(args[0]).includes(`/${name}`);
          if (isWrite && overtaken === undefined) await overtake();
          return Reflect.apply(own, target, args);
        };
      },
    });
    await runTicked({ ...context, bucket: slow }, BACKUP_JOB);
    expect(overtaken).toMatchObject({ state: "done", skipped: [] });
    const database = await openRestored(world);
    expect(database.report).toMatchObject({ state: "done", damaged: [], missing_document_count: 0 });
    await sweepAll(world, database);
    const documents = statement("select document_id from documents order by 1");
    expect(expectOk(await database.ownerSql.query(documents))).toEqual(
      expectOk(await world.database.ownerSql.query(documents)),
    );
    await database.close();
    await world.close();
  },
);
