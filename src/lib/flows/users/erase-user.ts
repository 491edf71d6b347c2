/**
 * Erases a user: everything of theirs that was sent before, in every place, counted before and after. One request does a part of it and says whether
 * there is more; the same request again goes on, whatever interrupted it. A tombstone stands from the first moment (docs/retention.md): what is on its
 * way meanwhile loses against it.
 */
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import type { ErasureCertificate, ErasureProgress, Kept } from "../../contract/user-erasure.ts";
import { countUserKept, keptRowSchema } from "../../db/queries/erase-user.ts";
import {
  beginErasure,
  erasureRowSchema,
  saveErasure,
  selectErasure,
  type UserName,
} from "../../db/queries/user-erasures.ts";
import { problemOfSql } from "../problem-of.ts";
import { certificateOf, findCertificate, storeCertificate } from "./certificate.ts";
import { countUserDictionaries, eraseUserDictionaries } from "./erase-user-dictionaries.ts";
import { countUserBackups, eraseUserBackups, isAmongBackups } from "./erase-user-backups.ts";
import { countUserPacks, eraseUserPacks } from "./erase-user-packs.ts";
import { eraseObjects, recountObjects } from "./erase-user-objects.ts";
import { countRows, eraseUserRows } from "./erase-user-rows.ts";
import { countSessionObjects, eraseOrphanedObjects, eraseUserSessions } from "./erase-user-sessions.ts";
import {
  CallBudget,
  type Erasure,
  ERASURE_STEPS,
  type ErasureStep,
  type EraseUserContext,
  noCounts,
  type Progress,
  progressSchema,
  type StepResult,
} from "./erasure.ts";

/** What one request may do: a client waits for it, and a Worker may call R2 and Postgres a thousand times. */
const CALL_BUDGET = { timeMsMax: 10_000, unitsMax: 250 } as const;

export interface UserErasureRequest extends UserName {
  /** Id of the key. */
  readonly requestedBy: string;
}

/** Errors: `database_unavailable`, `storage_unavailable`, `sessions_unavailable`; asking again goes on. */
export async function eraseUser(
  context: EraseUserContext,
  request: UserErasureRequest,
  budget: { readonly timeMsMax: number; readonly unitsMax: number } = CALL_BUDGET,
): Promise<Result<ErasureCertificate | ErasureProgress, Problem>> {
  const begun = await begin(context, request);
  if (!begun.ok) return begun;
  const { erasureId, before, at, progress } = begun.value;
  if (progress === null) return finishedElsewhere(context, request, erasureId);
  const { tenantId, userId } = request;
  const erasure: Erasure = {
    tenantId,
    userId,
    erasureId,
    before,
    at,
    progress,
    budget: new CallBudget(context.clock, budget),
  };
  for (;;) {
    const { step } = erasure.progress;
    const stepped = await STEPS[step](context, erasure);
    if (stepped.ok && stepped.value.done) {
      if (step === "recount") return finish(context, erasure);
      erasure.progress = { ...erasure.progress, step: stepAfter(step), after: "" };
    }
    const saved = await save(context, erasure, erasure.progress);
    if (!stepped.ok) return stepped;
    if (!saved.ok) return saved;
    if (erasure.budget.isSpent()) return ok(progressOf(erasure));
  }
}

const STEPS: Readonly<Record<ErasureStep, (context: EraseUserContext, erasure: Erasure) => Promise<StepResult>>> = {
  sessions: eraseUserSessions,
  session_objects: eraseOrphanedObjects,
  rows: eraseUserRows,
  wal: (context, erasure) => eraseObjects(context, erasure, "wal_texts"),
  quarantine: (context, erasure) => eraseObjects(context, erasure, "quarantine_texts"),
  replies: (context, erasure) => eraseObjects(context, erasure, "remembered_replies"),
  packs: eraseUserPacks,
  backups: eraseUserBackups,
  dictionaries: eraseUserDictionaries,
  recount,
};

function stepAfter(step: ErasureStep): ErasureStep {
  return ERASURE_STEPS[ERASURE_STEPS.indexOf(step) + 1] ?? step;
}

interface Begun {
  readonly erasureId: string;
  readonly before: string;
  readonly at: Date;
  /** null: it ended since this request began. */
  readonly progress: Progress | null;
}

/** Goes on with the erasure that was begun, or begins one. The rows are counted before the tombstone stands, so that nothing is missing in the count. */
async function begin(
  context: EraseUserContext,
  { requestedBy, ...user }: UserErasureRequest,
): Promise<Result<Begun, Problem>> {
  const found = await context.sql.transaction(user, [selectErasure(user)], { readOnly: true });
  if (!found.ok) return err(problemOfSql(found.error));
  const known = found.value[0]?.[0];
  if (known !== undefined && known["progress"] !== null) return ok(begunOf(known));
  const erasureId = context.newUlid();
  const rows = await countRows(context, { ...user, before: erasureId, at: null });
  if (!rows.ok) return rows;
  const progress: Progress = {
    requested_by: requestedBy,
    step: "sessions",
    after: "",
    round: 1,
    found: { ...noCounts(), ...rows.value },
    unreadable: 0,
  };
  const begun = await context.sql.transaction(
    user,
    beginErasure(user, { erasureId, progressJson: JSON.stringify(progress) }),
  );
  return begun.ok ? ok(begunOf(begun.value[2]?.[0])) : err(problemOfSql(begun.error));
}

function begunOf(row: unknown): Begun {
  const { erasure_id: erasureId, erased_before: before, erased_at: at, progress } = erasureRowSchema.parse(row);
  return { erasureId, before, at, progress: progress === null ? null : progressSchema.parse(progress) };
}

async function save(
  context: Pick<EraseUserContext, "sql">,
  erasure: Erasure,
  progress: Progress | null,
): Promise<Result<void, Problem>> {
  const json = progress === null ? null : JSON.stringify(progress);
  const saved = await context.sql.transaction(erasure, [saveErasure(erasure, erasure.erasureId, json)]);
  return saved.ok ? ok(undefined) : err(problemOfSql(saved.error));
}

/** Looks at every place once more. What it finds came while the places were gone through: they are gone through again. */
async function recount(context: EraseUserContext, erasure: Erasure): Promise<StepResult> {
  const objects = isAmongBackups(erasure) ? ok({ done: true, leftCount: 0 }) : await recountObjects(context, erasure);
  if (!objects.ok) return objects;
  if (!objects.value.done) return ok({ done: false });
  const backups = await countUserBackups(context, erasure);
  if (!backups.ok) return backups;
  if (!backups.value.done && backups.value.leftCount === 0) return ok({ done: false });
  const rows = await countRows(context, erasure);
  if (!rows.ok) return rows;
  const sessions = await countSessionObjects(context, erasure);
  if (!sessions.ok) return sessions;
  const packs = await countUserPacks(context, erasure);
  if (!packs.ok) return packs;
  const dictionaries = await countUserDictionaries(context, erasure);
  if (!dictionaries.ok) return dictionaries;
  const elsewhere =
    sessions.value + objects.value.leftCount + packs.value + dictionaries.value + backups.value.leftCount;
  const left = Object.values(rows.value).reduce((sum, count) => sum + count, elsewhere);
  if (left === 0) return ok({ done: true });
  const { progress } = erasure;
  erasure.progress = { ...progress, step: "sessions", after: "", round: progress.round + 1, unreadable: 0 };
  erasure.budget.spend();
  return ok({ done: false });
}

async function finish(context: EraseUserContext, erasure: Erasure): Promise<Result<ErasureCertificate, Problem>> {
  const rows = await context.sql.transaction({ tenantId: erasure.tenantId, userId: "*" }, [countUserKept(erasure)], {
    readOnly: true,
  });
  if (!rows.ok) return err(problemOfSql(rows.error));
  const kept = keptOf(erasure, keptRowSchema.parse(rows.value[0]?.[0]));
  const stored = await storeCertificate(context.bucket, erasure, certificateOf(erasure, kept, context.clock()));
  if (!stored.ok) return stored;
  const ended = await save(context, erasure, null);
  return ended.ok ? stored : ended;
}

function keptOf(
  { progress }: Erasure,
  { keys, copies }: { readonly keys: number; readonly copies: number },
): readonly Kept[] {
  return [
    {
      what: "receipts",
      count: progress.found.receipts ?? 0,
      why: "without user, document and details, so that the counts of batches stay true; no key of a user sees them",
    },
    { what: "api_keys", count: keys, why: "credentials, bound to the user: revoke them" },
    {
      what: "copies",
      count: copies,
      why: "snapshots name objects and hold none; dumps of the database end with their retention",
    },
    {
      what: "unreadable_objects",
      count: progress.unreadable,
      why: "damaged: nobody can read whether they held something of the user",
    },
  ];
}

async function finishedElsewhere(
  context: EraseUserContext,
  user: UserName,
  erasureId: string,
): Promise<Result<ErasureCertificate, Problem>> {
  const certificate = await findCertificate(context.bucket, { ...user, erasureId });
  if (!certificate.ok) return certificate;
  return certificate.value === undefined ? err({ code: "internal" }) : ok(certificate.value);
}

function progressOf({ erasureId, progress }: Erasure): ErasureProgress {
  return { done: false, erasure_id: erasureId, step: progress.step, round: progress.round, found: progress.found };
}
