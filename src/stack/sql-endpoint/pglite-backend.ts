/**
 * Serves jobs from one PGlite: a single session, so jobs take turns. The user of the connection string becomes the
 * session's user, so that row-level security holds; its password is not checked and its database name not looked at.
 */
import { protocol } from "@electric-sql/pglite";
import type { PGlite } from "@electric-sql/pglite";
import { setImmediate } from "node:timers/promises";
import { err, ok } from "../../lib/base/result.ts";
import type { Result } from "../../lib/base/result.ts";
import {
  beginSql,
  databaseErrorFields,
  fieldOf,
  sessionResetSql,
  splitCommandTag,
  syntheticDatabaseError,
} from "./backend.ts";
import type { BackendError, SqlBackend, SqlJob, StatementResult, WireStatement } from "./backend.ts";
import { createLane } from "./lane.ts";
import { createAutoAnalyse } from "./pglite-analyse.ts";

const { messages, serialize } = protocol;

type JobResult = Result<readonly StatementResult[], BackendError>;
type StepResult = Result<StatementResult, BackendError>;

/** User that PGlite boots as. It has to be named: its `set session authorization default` changes nothing. */
const BOOT_USER = "postgres";
const EMPTY_RESULT: StatementResult = { fields: [], rows: [], command: "", rowCount: null };

/** The endpoint's backend over a booted PGlite, which stays the caller's to close. */
export function createPgliteBackend(database: PGlite): SqlBackend {
  const lane = createLane();
  const autoAnalyse = createAutoAnalyse(database);
  // A session that cannot be reset, or an instance that threw, serves nobody again.
  let isBroken = false;
  const reset = async (mayHaveWritten: boolean): Promise<void> => {
    try {
      isBroken = isBroken || !(await resetSession(database));
      // Without statistics the session serves as well as before.
      if (mayHaveWritten && !isBroken) await autoAnalyse().catch(() => undefined);
    } catch {
      isBroken = true;
    }
  };
  return {
    name: "pglite",
    async run(job) {
      const leave = await lane.enter(job.signal);
      if (leave === undefined) return err({ reason: "cancelled" });
      let result: JobResult = err({ reason: "unreachable" });
      try {
        if (!isBroken) result = await runJob(database, job);
      } catch {
        isBroken = true;
      }
      // The answer does not wait for the reset, the next job does.
      void reset(result.ok && job.batch?.readOnly !== true).finally(leave);
      return result;
    },
    async close() {
      const leave = await lane.enter(new AbortController().signal);
      leave?.();
    },
  };
}

async function resetSession(database: PGlite): Promise<boolean> {
  const query = serialize.query(sessionResetSql(BOOT_USER));
  const answers = await database.execProtocolStream(query, { throwOnError: false });
  return !answers.some((message) => message instanceof messages.DatabaseError);
}

async function runJob(database: PGlite, job: SqlJob): Promise<JobResult> {
  const sizeLeft = { value: job.resultSizeMax };
  const step = (statement: WireStatement): Promise<StepResult> => runStatement(database, statement, sizeLeft);
  const quoted = `"${job.login.user.replaceAll('"', '""')}"`;
  const login = await step({ text: `set session authorization ${quoted}`, params: [] });
  if (!login.ok) return err(syntheticDatabaseError("FATAL", "28000", `role ${quoted} does not exist`));
  const results: StatementResult[] = [];
  if (job.batch !== undefined) {
    const begun = await step({ text: beginSql(job.batch), params: [] });
    if (!begun.ok) return begun;
  }
  for (const statement of job.statements) {
    // Lets the server notice a client that hung up; the session reset rolls back.
    await setImmediate();
    if (job.signal.aborted) return err({ reason: "cancelled" });
    const result = await step(statement);
    if (!result.ok) return result;
    results.push(result.value);
  }
  if (job.batch === undefined) return ok(results);
  if (job.signal.aborted) return err({ reason: "cancelled" });
  const committed = await step({ text: "commit", params: [] });
  return committed.ok ? ok(results) : committed;
}

async function runStatement(
  database: PGlite,
  statement: WireStatement,
  sizeLeft: { value: number },
): Promise<StepResult> {
  const answers = await database.execProtocolStream(extendedQuery(statement), { throwOnError: false });
  let result: StatementResult = EMPTY_RESULT;
  const rows: (string | null)[][] = [];
  for (const message of answers) {
    if (message instanceof messages.DatabaseError) {
      return err({ reason: "database", fields: databaseErrorFields(message) });
    } else if (message instanceof messages.RowDescriptionMessage) {
      result = { ...result, fields: message.fields.map(fieldOf) };
    } else if (message instanceof messages.DataRowMessage) {
      for (const value of message.fields) sizeLeft.value -= value?.length ?? 0;
      if (sizeLeft.value < 0) return err({ reason: "too_large" });
      rows.push(message.fields);
    } else if (message instanceof messages.CommandCompleteMessage) {
      result = { ...result, ...splitCommandTag(message.text) };
    }
  }
  return ok({ ...result, rows });
}

/**
 * One round of the extended protocol. The CopyFail ends a `copy … from stdin`, which would otherwise read beyond the
 * buffer and take the instance down; after any other statement the server ignores it.
 */
function extendedQuery(statement: WireStatement): Uint8Array {
  const parts = [
    serialize.parse({ text: statement.text }),
    serialize.bind({ values: [...statement.params] }),
    serialize.describe({ type: "P" }),
    serialize.execute({}),
    serialize.copyFail("COPY has no data over HTTP"),
    serialize.sync(),
  ];
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.byteLength;
  }
  return joined;
}
