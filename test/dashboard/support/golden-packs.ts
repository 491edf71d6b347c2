import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { packKey } from "../../../src/lib/artifact/pack-key.ts";
import { rowsIn, statement } from "../../support/database.ts";
import type { System } from "../../e2e/support/system.ts";

const FIXTURES = fileURLToPath(new URL("../../unit/artifact/fixtures/", import.meta.url));

/** Puts a golden pack into the bucket and registers it, as the job `pack` does with what it makes. */
export async function registerGoldenPack(system: System, tenantId: string, name: string): Promise<void> {
  const bytes = await readFile(`${FIXTURES}${name}.mpz`);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const key = packKey({ tenantId, createdAtMs: Date.now(), recordCount: 70, sha256 });
  const bucket = await system.runtime().miniflare.getR2Bucket("BUCKET");
  await bucket.put(key, bytes);
  await rowsIn(
    system.database.ownerSql,
    { tenantId, userId: "*" },
    statement(
      `insert into artifacts (tenant_id, artifact_id, kind, object_key, media_type, size_bytes, sha256)
       values ($1, $2, 'pack', $3, 'application/vnd.jeeves.pack', $4, decode($5, 'hex'))`,
      tenantId,
      `pack-${name}`,
      key,
      bytes.length,
      sha256,
    ),
  );
}
