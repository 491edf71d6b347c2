import { zstdDecompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HOUR_MS } from "../../src/lib/base/durations.ts";
import type { ErasureCertificate } from "../../src/lib/contract/user-erasure.ts";
import { BACKUP_JOB } from "../../src/lib/flows/backups/backup-job.ts";
import { openBackupPack } from "../../src/lib/flows/backups/restore-documents.ts";
import { eraseUser } from "../../src/lib/flows/users/erase-user.ts";
import { expectOk, statement } from "../support/database.ts";
import { CLOCK_COLUMNS, rowSetHashes } from "../support/row-set-hash.ts";
import { backUp, backupContext, openRestored } from "./support/backups.ts";
import { CrashPoint } from "./support/crashing.ts";
import { erasureContext, Logs } from "./support/erasures.ts";
import { runTicked } from "./support/run-ticked.ts";
import { openWorld, type World } from "./support/world.ts";

/** Crashes that are tried, spread over the awaited calls of an erasure. */
const CRASHES = Number(process.env["CRASHES"] ?? 6);
const TENANT = "shared";

let world: World;
beforeAll(async () => {
  world = await openWorld();
  world.nowMs = Date.now();
  const insert = statement("insert into tenants (tenant_id) values ($1)", TENANT);
  expectOk(await world.database.ownerSql.transaction({ tenantId: TENANT, userId: "*" }, [insert]));
});
afterAll(() => world.close());

/** Two nights of backups with documents, a fact and a session of each user's and of somebody else's. */
async function liveWith(...userIds: readonly string[]): Promise<void> {
  const documents = userIds.flatMap((userId) => [
    {
      id: `diary-of-${userId}`,
      user_id: userId,
      title: "A diary",
      text: `The word xylophone-${userId} stands in this text alone.`,
    },
    {
      id: `letter-of-ben-${userId}`,
      user_id: "ben",
      text: "The jet of ben flows over the wing, and no letter changes that.",
    },
  ]);
  await world.ingest(TENANT, documents);
  await world.indexQueued();
  const rows = userIds.flatMap((userId) => [
    statement(
      "insert into profiles (tenant_id, user_id, fact_key, version, value) values ($1, $2, 'home', 1, 'a house')",
      TENANT,
      userId,
    ),
    statement("insert into sessions (tenant_id, user_id, session_id) values ($1, $2, 'talk')", TENANT, userId),
  ]);
  expectOk(await world.database.ownerSql.transaction({ tenantId: TENANT, userId: "*" }, rows));
  await backUp(world);
  const notes = userIds.map((userId) => ({
    id: `note-of-${userId}`,
    user_id: userId,
    text: `Once more xylophone-${userId}, and again.`,
  }));
  await world.ingest(TENANT, notes);
  await world.indexQueued();
  await backUp(world);
}

/** Everything that the backups hold, as one text. */
async function textOfBackups(): Promise<string> {
  const { loadZstd } = backupContext(world);
  const zstd = await loadZstd();
  const { objects } = await world.bucket.list({ prefix: "backups/", include: ["customMetadata"] });
  const texts: string[] = [];
  for (const { key, size, customMetadata = {} } of objects) {
    const bytes = new Uint8Array((await (await world.bucket.get(key))?.arrayBuffer()) ?? []);
    if (key.endsWith(".json")) texts.push(new TextDecoder().decode(bytes));
    else if (key.endsWith(".zst")) texts.push(zstdDecompressSync(bytes).toString());
    else {
      const file = { key, sha256: customMetadata["hash"] ?? "", size_bytes: size, row_count: 0, raw_bytes: 0 };
      const { reader } = expectOk(await openBackupPack(world.bucket, file, zstd));
      for (const block of reader.footer.blocks.keys())
        texts.push(JSON.stringify(expectOk(await reader.readBlock(block))));
    }
  }
  return texts.join("\n");
}

async function erase(userId: string, crash?: CrashPoint): Promise<ErasureCertificate> {
  const context = erasureContext(world, new Logs(), crash);
  for (;;) {
    const reply = expectOk(await eraseUser(context, { tenantId: TENANT, userId, requestedBy: "test" }));
    if ("sha256" in reply) return reply;
  }
}

describe("an erasure of a user", () => {
  it(
    "reaches every backup, is counted by its certificate, and leaves backups that restore whole",
    { timeout: 120_000 },
    async () => {
      await liveWith("ann");
      expect(await textOfBackups()).toContain("xylophone-ann");
      const certificate = await erase("ann");
      expect(certificate.places.backup_rows?.before).toBeGreaterThan(5);
      expect(certificate.places.backup_rows?.after).toBe(0);
      const left = await textOfBackups();
      expect(left).not.toContain("xylophone-ann");
      expect(left).not.toContain('"ann"');
      expect(left).not.toContain("-of-ann");
      const restored = await openRestored(world);
      expect(restored.report).toMatchObject({ state: "done", damaged: [], missing_document_count: 0 });
      const without = { ...CLOCK_COLUMNS, user_erasures: ["erased_at", "erased_before", "erasure_id"] };
      expect(await rowSetHashes(restored.ownerSql, { without })).toEqual(
        await rowSetHashes(world.database.ownerSql, { without }),
      );
      await restored.close();
    },
  );

  it("that crashes at any await is completed by the next request", { timeout: 280_000 }, async () => {
    const users = Array.from({ length: CRASHES }, (_, index) => `crashing-${index}`);
    await liveWith("counted", ...users);
    const counter = new CrashPoint(undefined);
    await erase("counted", counter);
    for (const [index, userId] of users.entries()) {
      const callIndex = Math.floor(((index + 0.5) * counter.callCount) / CRASHES);
      const crash = new CrashPoint({ callIndex, moment: index % 2 === 0 ? "after" : "before" });
      await erase(userId, crash).catch((error: unknown) => {
        if (!crash.hasCrashed) throw error;
      });
      expect(crash.hasCrashed, userId).toBe(true);
      await erase(userId);
    }
    expect(await textOfBackups()).not.toContain("xylophone-crashing");
    const restored = await openRestored(world);
    expect(restored.report).toMatchObject({ state: "done", damaged: [], missing_document_count: 0 });
    await restored.close();
  });

  it("that ends while a backup is made lets it begin its tenant anew", async () => {
    await liveWith("late");
    const context = backupContext(world);
    let hasErased = false;
    const bucket = new Proxy(context.bucket, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return async (...args: unknown[]): Promise<unknown> => {
          if (name === "put" && String(args[0]).endsWith(`/${TENANT}/documents-1.jsonl.zst`) && !hasErased) {
            hasErased = true;
            await erase("late");
          }
          return Reflect.apply(member, target, args);
        };
      },
    });
    world.nowMs += HOUR_MS;
    expectOk(await runTicked({ ...context, bucket }, BACKUP_JOB));
    expect(hasErased).toBe(true);
    expect(await textOfBackups()).not.toContain("xylophone-late");
  });
});
