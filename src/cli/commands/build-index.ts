import { HOUR_MS } from "../../lib/base/durations.ts";
import { createNeonSql } from "../../lib/db/neon-sql.ts";
import {
  buildSearchIndex,
  LARGE_ROWS_MIN,
  type SearchIndexReport,
} from "../../lib/flows/search-recall/build-search-index.ts";
import { openDatabase } from "../../stack/postgres/open-database.ts";
import { withHelp } from "../../stack/help-topic.ts";
import { CommandError, usageError } from "../command-error.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";

/** One HNSW build of a partition of a million chunks takes minutes, not hours. */
const BUILD_TIMEOUT_MS = 2 * HOUR_MS;
const TIMEOUT_MS = 60_000;

/**
 * `jeeves build-index`: gives large partitions of DATABASE_URL (as its owner) their search indexes, and measures those of vectors before any search uses
 * them. Refused: one of them fell short and was dropped. Repeating it is harmless.
 */
export async function run(): Promise<ExitCode> {
  const report = await buildIndex();
  console.log(JSON.stringify(report, null, 2));
  return report.proofs.every(({ isApproved }) => isApproved) ? EXIT.ok : EXIT.refused;
}

async function buildIndex(): Promise<SearchIndexReport> {
  const databaseUrl = process.env["DATABASE_URL"];
  if (databaseUrl === undefined)
    throw usageError(withHelp("DATABASE_URL is not set: name the database, as its owner", "missing-dsn"));
  const database = await openDatabase(databaseUrl);
  if (!database.ok) throw new CommandError(database.error);
  const endpoint = database.value.fetchEndpoint === undefined ? {} : { fetchEndpoint: database.value.fetchEndpoint };
  try {
    const ownerSql = createNeonSql({
      connectionString: database.value.connectionString,
      ...endpoint,
      timeoutMs: TIMEOUT_MS,
    });
    // The owner sets the scope of each tenant itself; with APP_DATABASE_URL the role of the Workers does it under row-level security.
    const connectionString = process.env["APP_DATABASE_URL"] ?? database.value.connectionString;
    const sql = createNeonSql({ connectionString, ...endpoint, timeoutMs: TIMEOUT_MS });
    const report = await buildSearchIndex(
      { ownerSql, sql },
      { partitionRowsMin: LARGE_ROWS_MIN, tenantChunksMin: LARGE_ROWS_MIN, buildTimeoutMs: BUILD_TIMEOUT_MS },
    );
    if (!report.ok) throw new CommandError(`the index build failed: ${report.error.code}`);
    return report.value;
  } finally {
    await database.value.close();
  }
}
