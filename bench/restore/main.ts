/**
 * The restore drill with real text and the real model: a backup, more writes, the database lost, and everything back from R2 alone, against embedding the same
 * corpus again. `node bench/restore/main.ts PATH|sotu [--embedder URL] [--report FILE]`; PATH as `bench/support/read-texts.ts` takes it, `sotu` the State of
 * the Union addresses. Fails where a row or an answer differs.
 */
import { z } from "zod";
import { BACKUP_JOB } from "../../src/lib/flows/backups/backup-job.ts";
import { RESTORE_JOB } from "../../src/lib/flows/backups/restore-job.ts";
import { openTestDatabase, type TestDatabase } from "../../test/support/database.ts";
import { availableBackends } from "../../test/support/postgres-servers.ts";
import { CLOCK_COLUMNS, rowSetHashes } from "../../test/support/row-set-hash.ts";
import type { BenchReport } from "../support/figure.ts";
import { readBenchTexts } from "../support/read-texts.ts";
import { runWithEmbedder } from "../support/with-embedder.ts";
import { openR2Bucket } from "../../test/support/r2-bucket.ts";
import { type Answer, DrillStore, TENANT } from "./drill-store.ts";

const DOCUMENTS_MAX = 24;
/** A text that is embedded again may stand beside others in its batch, and the CPU's quantised model then gives a vector near it. */
const COSINE_MIN = 0.98;
const SAME_HITS_MIN = 9;
/** Texts that come after the backup, and are replayed. */
const LATE_DOCUMENTS = 3;
const QUERIES = [
  "health insurance that can never be taken away",
  "inflation and the price of oil",
  "sending astronauts to the moon",
  "the war and when the troops come home",
  "schools and teachers",
];

/** Columns of rows that were replayed: their clocks, and the vectors, which are compared by their angle. */
const WITHOUT = { ...CLOCK_COLUMNS, doc_embeddings: [...(CLOCK_COLUMNS["doc_embeddings"] ?? []), "embedding"] };

const backupSchema = z.object({ backup_id: z.string(), size_bytes: z.int() });
const restoredSchema = z.object({ document_count: z.int(), chunk_count: z.int(), elapsed_seconds: z.number() });

async function timed<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly seconds: number }> {
  const startMs = performance.now();
  const value = await work();
  return { value, seconds: (performance.now() - startMs) / 1000 };
}

await runWithEmbedder("node bench/restore/main.ts PATH|sotu", async (path, endpoint): Promise<BenchReport> => {
  const [backend = "pglite"] = await availableBackends(["native", "pglite"]);
  const texts = await readBenchTexts(path === "sotu" ? undefined : path, DOCUMENTS_MAX);
  const held = await openR2Bucket();
  const { bucket } = held;
  const opened: TestDatabase[] = [];
  const open = async (): Promise<{ readonly database: TestDatabase; readonly store: DrillStore }> => {
    const database = await openTestDatabase({ backend });
    opened.push(database);
    return { database, store: new DrillStore(database, bucket, endpoint) };
  };
  try {
    const first = await open();
    await first.store.registerModel();
    await first.store.createTenant(first.database);
    await first.store.ingest(texts.slice(LATE_DOCUMENTS));
    await first.store.indexQueued();
    const backup = await timed(() => first.store.run(BACKUP_JOB));
    const backedRows = await rowSetHashes(first.database.ownerSql);
    const backedAnswers = await first.store.answers(QUERIES);
    await first.store.ingest(texts.slice(0, LATE_DOCUMENTS));
    await first.store.indexQueued();
    const rows = await rowSetHashes(first.database.ownerSql, { without: WITHOUT });
    const vectors = await vectorsOf(first.database);
    const answers = await first.store.answers(QUERIES);
    await first.database.close();
    opened.splice(0);

    const second = await open();
    const restored = await timed(() => second.store.run(RESTORE_JOB));
    requireSame("rows", backedRows, await rowSetHashes(second.database.ownerSql));
    requireSame("answers", backedAnswers, await second.store.answers(QUERIES));
    const replayed = await timed(async () => {
      await second.store.sweep();
      await second.store.indexQueued();
    });
    requireSame("rows", rows, await rowSetHashes(second.database.ownerSql, { without: WITHOUT }));
    requireNear(vectors, await vectorsOf(second.database));
    requireNearAnswers(answers, await second.store.answers(QUERIES));

    // The slow way back: the same corpus from the WAL, each chunk embedded again.
    const third = await open();
    await third.store.registerModel();
    await third.store.createTenant(third.database);
    await third.store.sweep();
    const again = await timed(() => third.store.indexQueued());

    const { size_bytes: sizeBytes } = backupSchema.parse(backup.value);
    const report = restoredSchema.parse(restored.value);
    const wholeSeconds = restored.seconds + replayed.seconds;
    return {
      bench: "restore",
      figures: [
        {
          name: "restore of a backup against embedding again, documents a second",
          unit: "/s",
          ours: { name: "restore", samples: [report.document_count / restored.seconds] },
          opponent: { name: "index the WAL again", samples: [texts.length / again.seconds] },
          target: 5,
        },
        { name: "RTO: restore and replay", unit: "s", ours: { name: "whole", samples: [wholeSeconds] }, isCost: true },
        { name: "backup", unit: "s", ours: { name: "full", samples: [backup.seconds] }, isCost: true },
      ],
      skipped: [],
      details: [
        `${texts.length} documents on ${backend}; ${LATE_DOCUMENTS} came after the backup and were replayed in ${replayed.seconds.toFixed(1)} s`,
        `backup: ${(sizeBytes / 1e6).toFixed(2)} MB for ${report.document_count} documents, ${report.chunk_count} chunks`,
        `restore: ${restored.seconds.toFixed(2)} s, ${(report.chunk_count / restored.seconds).toFixed(0)} chunks/s; embedding again: ${again.seconds.toFixed(1)} s`,
        `equal after the restore: every column of every row of ${TENANT}, vectors to the bit, and ten hits of each of ${QUERIES.length} queries with their scores`,
        `equal after the replay: all but clocks and vectors of what came after the backup, which have cosines of ${COSINE_MIN} or more; ${SAME_HITS_MIN} of ten hits or more`,
      ],
    };
  } finally {
    for (const database of opened) await database.close();
    await held.close();
  }
});
// The servers of the test databases end with the process.
process.exit();

function requireSame(what: string, before: unknown, after: unknown): void {
  if (JSON.stringify(before) === JSON.stringify(after)) return;
  throw new Error(`${what} differ after the restore: ${JSON.stringify(before)} ${JSON.stringify(after)}`);
}

function requireNearAnswers(before: readonly Answer[], after: readonly Answer[]): void {
  for (const [index, { hits }] of before.entries()) {
    const same = hits.filter((hit) => after[index]?.hits.includes(hit)).length;
    if (same < Math.min(SAME_HITS_MIN, hits.length)) throw new Error(`query ${index + 1} has ${same} hits of before`);
  }
}

/** Every vector, by its chunk. */
async function vectorsOf({ ownerSql }: TestDatabase): Promise<ReadonlyMap<string, readonly number[]>> {
  const text = "select document_uid || ' ' || chunk_index as chunk, embedding::text as vector from doc_embeddings";
  const rows = await ownerSql.query({ text, params: [] });
  if (!rows.ok) throw new Error(rows.error.code);
  const vectorSchema = z.array(z.number());
  return new Map(
    rows.value.map((row) => [String(row["chunk"]), vectorSchema.parse(JSON.parse(String(row["vector"])))]),
  );
}

function requireNear(
  before: ReadonlyMap<string, readonly number[]>,
  after: ReadonlyMap<string, readonly number[]>,
): void {
  for (const [chunk, vector] of before) {
    const other = after.get(chunk) ?? [];
    const product = vector.reduce((sum, value, index) => sum + value * (other[index] ?? 0), 0);
    const cosine = product / (Math.hypot(...vector) * Math.hypot(...other));
    if (!(cosine >= COSINE_MIN)) throw new Error(`the vector of ${chunk} differs: cosine ${cosine}`);
  }
}
