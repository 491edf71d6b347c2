/** Probes of the admin routes: by keys without their scope, and by the admin of another tenant. */
import { documentUid } from "../../../src/lib/base/document-uid.ts";
import { readerOf } from "./callers.ts";
import { json, type Aim, type Probe, type ProbeMaker } from "./probe.ts";
import type { Caller } from "./service.ts";

type Ask = (aim: Aim) => { readonly path: string; readonly init?: RequestInit };

/** By a key without the scope, which is refused. */
function unscoped(ask: Ask): (aim: Aim) => Probe {
  return (aim) => by(aim.random.pick([...aim.callers.owners, ...aim.callers.unbound]), ask(aim), true);
}

/** Half of them by the admin of another tenant, who is answered for the own tenant only. */
function admin(ask: Ask, finds: "nothing" | "own"): (aim: Aim) => Probe {
  const refused = unscoped(ask);
  return (aim) =>
    aim.random.next() < 0.5 ? by(aim.callers.outsideAdmin, ask(aim), finds === "nothing") : refused(aim);
}

/** What concerns all tenants, which no key of a tenant opens: also not its admin's. */
function operator(ask: Ask): (aim: Aim) => Probe {
  return (aim) =>
    by(aim.random.pick([...aim.callers.owners, ...aim.callers.unbound, aim.callers.outsideAdmin]), ask(aim), true);
}

function by(caller: Caller, asked: { path: string; init?: RequestInit }, isAimed: boolean): Probe {
  return { caller, reader: readerOf(caller), ...asked, isAimed, kinds: [] };
}

const snapshot = "/v1/admin/snapshots/hourly/20261125T220000Z";
const quarantined = ({ victim }: Aim): string => `/v1/quarantine/${victim.quarantineId}`;
const key = ({ random, keyIds }: Aim): string => `/v1/admin/keys/${random.pick(keyIds)}`;

export const adminProbes: Readonly<Record<string, ProbeMaker>> = {
  releaseQuarantined: {
    weight: 2,
    make: admin((aim) => ({ path: `${quarantined(aim)}/release`, init: json({}) }), "nothing"),
  },
  purgeQuarantined: {
    weight: 2,
    make: admin((aim) => ({ path: quarantined(aim), init: { method: "DELETE" } }), "nothing"),
  },
  createKey: {
    weight: 1,
    make: unscoped(({ victim }) => ({
      path: "/v1/admin/keys",
      init: json({ scopes: ["search"], ...(victim.userId === "" ? {} : { user_id: victim.userId }) }),
    })),
  },
  listKeys: {
    weight: 2,
    make: admin(({ random, keyIds }) => {
      const before = random.next() < 0.5 ? `&before=${random.pick(keyIds)}` : "";
      return { path: `/v1/admin/keys?limit=100${before}` };
    }, "own"),
  },
  rotateKey: {
    weight: 1,
    make: admin((aim) => ({ path: `${key(aim)}/rotate`, init: json({ overlap_seconds: 0 }) }), "nothing"),
  },
  revokeKey: { weight: 1, make: admin((aim) => ({ path: key(aim), init: { method: "DELETE" } }), "nothing") },
  listModels: { weight: 1, make: unscoped(() => ({ path: "/v1/admin/models" })) },
  registerModel: { weight: 1, make: operator(() => ({ path: "/v1/admin/models", init: json({}) })) },
  readModelCoverage: { weight: 1, make: operator(() => ({ path: "/v1/admin/models/1/coverage" })) },
  compareModels: {
    weight: 1,
    make: operator(({ victim }) => ({
      path: "/v1/admin/models/1/compare",
      init: json({ tenant_id: victim.tenantId, queries: ["plan"] }),
    })),
  },
  promoteModel: { weight: 1, make: operator(() => ({ path: "/v1/admin/models/1/promote", init: json({}) })) },
  rollBackModel: { weight: 1, make: operator(() => ({ path: "/v1/admin/models/rollback", init: json({}) })) },
  retireModel: { weight: 1, make: operator(() => ({ path: "/v1/admin/models/1/retire", init: json({}) })) },
  readPolicy: { weight: 1, make: admin(() => ({ path: "/v1/admin/policy" }), "own") },
  changePolicy: { weight: 1, make: unscoped(() => ({ path: "/v1/admin/policy", init: json({}, "PUT") })) },
  rescanPii: {
    weight: 1,
    make: admin(({ victim }) => {
      const after = documentUid({ ...victim, tier: "doc", documentId: "plan" });
      return { path: "/v1/admin/pii/rescan", init: json({ dry_run: true, after, with_total: true }) };
    }, "own"),
  },
  listDeadLetters: { weight: 2, make: admin(() => ({ path: "/v1/admin/dead-letters" }), "own") },
  readTrace: {
    weight: 2,
    make: admin((aim) => {
      const walId = aim.victim.quarantineId.slice(0, 26);
      return { path: `/v1/admin/traces/${aim.random.pick([walId, "nightly"])}` };
    }, "nothing"),
  },
  metrics: { weight: 1, make: operator(() => ({ path: "/metrics" })) },
  listAudits: { weight: 1, make: operator(() => ({ path: "/v1/admin/audits" })) },
  readAudit: { weight: 1, make: operator(() => ({ path: "/v1/admin/audits/2026-11-25" })) },
  readAuditDiff: { weight: 1, make: operator(() => ({ path: "/v1/admin/audits/2026-11-25/diff" })) },
  listJobs: { weight: 1, make: operator(() => ({ path: "/v1/admin/jobs" })) },
  runJob: { weight: 1, make: operator(() => ({ path: "/v1/admin/jobs/sweep/run", init: json({ dry_run: true }) })) },
  listJobRuns: { weight: 1, make: operator(() => ({ path: "/v1/admin/jobs/sweep/runs" })) },
  readJobRun: { weight: 1, make: operator(() => ({ path: "/v1/admin/jobs/sweep/runs/sweep-1" })) },
  listSnapshots: { weight: 1, make: operator(() => ({ path: "/v1/admin/snapshots" })) },
  readSnapshot: { weight: 1, make: operator(() => ({ path: snapshot })) },
  listSnapshotObjects: { weight: 1, make: operator(() => ({ path: `${snapshot}/objects` })) },
  readSnapshotContent: {
    weight: 1,
    make: operator(({ victim }) => ({
      path: `${snapshot}/content?key=${encodeURIComponent(`wal/${victim.tenantId}/x`)}`,
    })),
  },
  diffSnapshots: {
    weight: 1,
    make: operator(() => ({ path: `${snapshot}/diff?kind=hourly&id=20261125T220000Z` })),
  },
  verifySnapshot: { weight: 1, make: operator(() => ({ path: `${snapshot}/verify` })) },
  restoreSnapshot: { weight: 1, make: operator(() => ({ path: `${snapshot}/restore`, init: json({}) })) },
};
