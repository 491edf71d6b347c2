import { err, ok, type Result } from "../../base/result.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Principal } from "../../contract/principal.ts";
import type { Problem } from "../../contract/problem.ts";
import type { FactInput, PutProfile, PutProfileReply } from "../../contract/profile.ts";
import { selectWaiting, waitingRowSchema } from "../../db/queries/profile-outbox.ts";
import {
  factRowSchema,
  insertFactVersions,
  lockProfile,
  profileVersionRowSchema,
  selectFacts,
  selectProfileVersion,
  type ProfileName,
} from "../../db/queries/profiles.ts";
import { holdErasures } from "../../db/queries/user-erasures.ts";
import type { WalHead } from "../../wal/wal-codec.ts";
import type { JudgingContext } from "../judging/judge-request.ts";
import { ownRows } from "../own-rows.ts";
import { problemOfSql } from "../problem-of.ts";
import { factDocument, factHead, type OutboxEntry } from "./fact-document.ts";
import { judgeFacts, type JudgedFact } from "./judge-facts.ts";
import { planChanges, type KnownFact, type Plan, type PlannedChange } from "./plan-changes.ts";
import { entriesOf, sendEntries, sendWaiting, type OutboxContext } from "./send-outbox.ts";

export interface PutProfileContext extends OutboxContext, JudgingContext {
  readonly newUlid: () => string;
}

export interface ProfileChange {
  readonly userId: string;
  readonly body: PutProfile;
  /** Version that the profile has to have; null: any. */
  readonly ifVersion: number | null;
  readonly requestId: string;
  readonly traceId?: string;
}

/** Commits that may lose to those of others before the client is told to come again. */
const ATTEMPTS_MAX = 20;
/** Changes that a request finds waiting, from crashes before, and completes. */
const WAITING_MAX = 10;

/**
 * Changes a user's profile: judged, then one transaction, then the WAL object. From the commit on the change holds and will be found; a WAL
 * object that could not be written is written by the next request that meets it, or by the job. Errors: `user_forbidden`, `conflict` (the
 * profile has another version than `ifVersion`), `body_invalid` (too many facts), and those of judging.
 */
export async function putProfile(
  context: PutProfileContext,
  principal: Principal,
  change: ProfileChange,
): Promise<Result<PutProfileReply, Problem>> {
  if (principal.userId !== "" && principal.userId !== change.userId) return err({ code: "user_forbidden" });
  const name = { tenantId: principal.tenantId, userId: change.userId };
  const nowMs = context.clock();
  const judged = await judgeInputs(context, principal, { change, nowMs });
  if (!judged.ok) return judged;
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const state = await readState(context, name, { change, nowMs });
    if (!state.ok) return state;
    const { version, known, waiting } = state.value;
    if (change.ifVersion !== null && change.ifVersion !== version)
      return err({ code: "conflict", detail: `the profile has version ${version}` });
    const plan = planOf(known, change, { judged: judged.value, nowMs });
    if (plan.factCount > LIMITS.profileFactsMax) {
      const detail = `a profile has at most ${LIMITS.profileFactsMax} facts`;
      return err({ code: "body_invalid", pointer: "/facts", detail });
    }
    for (const walId of waiting) await sendWaiting(context, name, walId);
    const reply = { user_id: change.userId, refused: refusedOf(judged.value) };
    if (plan.changes.length === 0)
      return ok({ ...reply, version, facts: factsOf(plan, version), ...tokenOf(waiting.at(-1)) });
    const walId = context.newUlid();
    const head = factHead(principal, { walId, requestId: change.requestId, traceId: change.traceId, nowMs });
    const committed = await commit(context, name, { version, changes: plan.changes, judged: judged.value, head });
    if (!committed.ok) return committed;
    if (committed.value === "conflict") continue;
    // What cannot be sent now waits in the outbox: the change is durable already.
    await sendEntries(context, name, committed.value);
    return ok({ ...reply, version: version + 1, facts: factsOf(plan, version + 1), token: walId });
  }
  return err({ code: "conflict", detail: "others change this profile at the same time" });
}

/** By key. */
type Judged = ReadonlyMap<string, JudgedFact>;

async function judgeInputs(
  context: PutProfileContext,
  principal: Principal,
  { change, nowMs }: { readonly change: ProfileChange; readonly nowMs: number },
): Promise<Result<Judged, Problem>> {
  const inputs = change.body.facts.map((fact) => ({
    userId: change.userId,
    key: fact.key,
    // Of a removal nothing but its time is judged.
    value: "value" in fact ? fact.value : "removed",
    source: fact.source ?? "profile",
    observedAt: fact.observed_at ?? new Date(nowMs).toISOString(),
  }));
  const judged = await judgeFacts(context, { principal, facts: inputs, nowMs });
  if (!judged.ok) return judged;
  return ok(new Map(inputs.flatMap(({ key }, index) => (judged.value[index] ? [[key, judged.value[index]]] : []))));
}

interface State {
  readonly version: number;
  readonly known: readonly KnownFact[];
  /** WAL ids, oldest first. */
  readonly waiting: readonly string[];
}

async function readState(
  context: PutProfileContext,
  name: ProfileName,
  { change, nowMs }: { readonly change: ProfileChange; readonly nowMs: number },
): Promise<Result<State, Problem>> {
  const removedKeys = change.body.facts.map(({ key }) => key);
  const statements = [
    selectProfileVersion(name),
    selectFacts(name, { asOf: null, removedKeys }),
    selectWaiting(name, { untilMs: nowMs, rowsMax: WAITING_MAX }),
  ];
  const options = { readOnly: true, isolation: "RepeatableRead" } as const;
  const rows = await context.sql.transaction(name, statements, options);
  if (!rows.ok) return err(problemOfSql(rows.error));
  const [versions = [], facts = [], waiting = []] = rows.value;
  const own = ownRows(
    "profiles",
    name,
    facts.map((row) => factRowSchema.parse(row)),
  );
  if (!own.ok) return own;
  return ok({
    version: profileVersionRowSchema.parse(versions[0]).version,
    known: own.value.map(({ fact_key: key, observed_at: observedAt, ...fact }) => ({
      ...fact,
      key,
      observedAtMs: observedAt.getTime(),
    })),
    waiting: waiting.map((row) => waitingRowSchema.parse(row).wal_id),
  });
}

function planOf(
  known: readonly KnownFact[],
  { body }: ProfileChange,
  { judged, nowMs }: { readonly judged: Judged; readonly nowMs: number },
): Plan {
  const refused = new Set([...judged].filter(([, fact]) => fact.isRefused).map(([key]) => key));
  const wanted = body.facts
    .filter(({ key }) => !refused.has(key))
    .map((fact) => ({
      key: fact.key,
      value: isRemoval(fact) ? null : (judged.get(fact.key)?.value ?? null),
      source: fact.source,
      observedAtMs: fact.observed_at === undefined ? undefined : Date.parse(fact.observed_at),
    }));
  return planChanges(known, wanted, { replace: body.replace, keptKeys: refused, nowMs });
}

function isRemoval(fact: FactInput): boolean {
  return "removed" in fact;
}

interface Commit {
  readonly version: number;
  readonly changes: readonly PlannedChange[];
  readonly judged: Judged;
  readonly head: WalHead;
}

async function commit(
  context: PutProfileContext,
  name: ProfileName,
  { version, changes, judged, head }: Commit,
): Promise<Result<readonly OutboxEntry[] | "conflict", Problem>> {
  const facts = changes.map((change) => {
    const { key, value, source, observedAtMs } = change;
    const said = value === null ? undefined : judged.get(key);
    const document = factDocument({
      userId: name.userId,
      key,
      version: version + 1,
      source,
      observedAtMs,
      text: said?.text ?? "",
      reasons: said?.reasons ?? [],
      curation: said?.curation,
    });
    return {
      key,
      value: value ?? "",
      removed: value === null,
      source,
      observedAt: new Date(observedAtMs).toISOString(),
      outboxJson: JSON.stringify({ head, document }),
    };
  });
  const statements = [
    holdErasures(name.tenantId, [name.userId]),
    lockProfile(name),
    insertFactVersions(name, { expected: version, walId: head.wal_id, facts }),
  ];
  const written = await context.sql.transaction(name, statements, { isolation: "ReadCommitted" });
  if (!written.ok) return written.error.code === "unique_violation" ? ok("conflict") : err(problemOfSql(written.error));
  const entries = entriesOf(written.value[2] ?? []);
  return ok(entries.length === 0 ? "conflict" : entries);
}

function factsOf({ changes, unchanged }: Plan, version: number): PutProfileReply["facts"] {
  return [
    ...changes.map(({ key, value }) => ({
      key,
      version,
      change: value === null ? ("removed" as const) : ("set" as const),
    })),
    ...unchanged.map((fact) => ({ ...fact, change: "unchanged" as const })),
  ];
}

function refusedOf(judged: Judged): PutProfileReply["refused"] {
  return [...judged].filter(([, fact]) => fact.isRefused).map(([key, { reasons }]) => ({ key, reasons: [...reasons] }));
}

function tokenOf(token: string | undefined): { readonly token?: string } {
  return token === undefined ? {} : { token };
}
