import { utf8Bytes } from "../../base/bytes.ts";
import { DAY_MS, MINUTE_MS } from "../../base/durations.ts";
import type { Log } from "../../base/log.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import { SEARCH_MODES, type SearchReply } from "../../contract/search.ts";
import { TIERS } from "../../contract/scope.ts";
import { accept, type AcceptContext } from "../ingest/accept.ts";
import type { Job, JobContext } from "../jobs/job.ts";
import { search, type SearchContext } from "../searching/search.ts";
import { CANARIES, CANARY_DOCUMENT_ID, canaryDocuments, songOf, type Canary } from "./canaries.ts";

interface CanaryContext extends JobContext, SearchContext, AcceptContext {
  readonly log: Log;
  readonly metrics: {
    count(name: "isolation_violations_total", labels: { readonly place: "canary" }, by: number): void;
  };
}

interface CanaryReport {
  readonly searchCount: number;
  /** Texts of another canary that came back, and rows that the last check held back. */
  readonly foreignCount: number;
  /** Secrets that their own owner does not find: those prove nothing. */
  readonly missingCount: number;
  /** Searches without an answer. */
  readonly failedCount: number;
}

/** How long a first run waits for what it wrote, milliseconds. */
const FIRST_WAIT_MS = 20_000;
/** More than a canary can see, so that what it must not see would come along. */
const HITS_MAX = 50;

/**
 * Each canary asks for the secrets of all others, in every mode, by the flow that serves clients. One foreign row fails the run, counts in
 * `isolation_violations_total{place="canary"}` and is logged as an error. The canaries' documents come by the normal ingest on the first run and
 * wherever one is missing, and are used again by the next.
 */
export const ISOLATION_CANARY_JOB: Job<CanaryContext, CanaryReport> = {
  name: "isolation_canary",
  summary: "asks as each of four synthetic users for what the others keep; anything found is an incident",
  cron: "0 * * * *",
  timeMsMax: 3 * MINUTE_MS,
  async run(context, { budget, isDryRun }) {
    const tally = { searchCount: 0, foreignCount: 0, missingCount: 0, failedCount: 0 };
    for (const canary of CANARIES)
      tally.missingCount += isDryRun ? await missingOf(context, canary) : await settle(context, canary);
    for (const canary of CANARIES) {
      for (const other of CANARIES) {
        if (other === canary) continue;
        for (const mode of SEARCH_MODES) {
          tally.searchCount += 1;
          if (budget.isSpent()) {
            tally.failedCount += 1;
            continue;
          }
          const heard = await listen(context, canary, { mode, query: songsOf(other) });
          if (heard.ok) tally.foreignCount += foreignIn(heard.value, canary);
          else if (heard.error.isolation !== undefined) tally.foreignCount += heard.error.isolation.foreignCount;
          else tally.failedCount += 1;
        }
      }
    }
    if (tally.foreignCount > 0) {
      context.metrics.count("isolation_violations_total", { place: "canary" }, tally.foreignCount);
      const { foreignCount, searchCount } = tally;
      const counts = { foreign_count: foreignCount, search_count: searchCount };
      context.log.error("isolation_violation", { place: "canary", ...counts });
    }
    const isSilent = tally.missingCount + tally.failedCount > 0;
    if (isSilent) {
      const counts = { missing_count: tally.missingCount, failed_count: tally.failedCount };
      context.log.warn("isolation_canary_silent", counts);
    }
    return {
      report: tally,
      outcome: tally.foreignCount > 0 ? "failed" : isSilent ? "partial" : "done",
      cursor: {},
    };
  },
};

/** All five secrets of a canary in one query: the words they have in common and the one they have not. */
function songsOf(canary: Canary): string {
  return TIERS.map((tier) => songOf(canary, tier)).join(" ");
}

/** Sees to it that a canary has its secrets, and returns how many are still missing. */
async function settle(context: CanaryContext, canary: Canary): Promise<number> {
  const before = await missingOf(context, canary);
  if (before === 0) return 0;
  const written = await accept(context, {
    principal: canary.principal,
    requestId: "isolation-canary",
    body: utf8Bytes(JSON.stringify(canaryDocuments(canary))),
    headers: { contentType: "application/json", contentEncoding: "" },
    batchTag: null,
    // One request a day at most, however often it is missing.
    idempotencyKey: `canary-${Math.floor(context.clock() / DAY_MS)}`,
  });
  return written.ok ? missingOf(context, canary, written.value.reply.token) : before;
}

/** Tiers whose secret its owner does not find. */
async function missingOf(context: CanaryContext, canary: Canary, token?: string): Promise<number> {
  const heard = await listen(context, canary, { mode: "lexical", query: songsOf(canary), token });
  if (!heard.ok) return TIERS.length;
  const found = new Set(heard.value.hits.filter(({ text }) => text.includes(canary.bird)).map(({ tier }) => tier));
  return TIERS.length - found.size;
}

interface Question {
  readonly mode: (typeof SEARCH_MODES)[number];
  readonly query: string;
  readonly token?: string | undefined;
}

async function listen(
  context: CanaryContext,
  { principal }: Canary,
  { mode, query, token }: Question,
): Promise<Result<SearchReply, Problem>> {
  const filters = { document_ids: [CANARY_DOCUMENT_ID] };
  const waiting = token === undefined ? {} : { min_token: token, wait_ms: FIRST_WAIT_MS };
  const reply = await search(context, principal, { query, mode, k: HITS_MAX, filters, ...waiting });
  return reply.ok ? ok(reply.value) : err(reply.error);
}

/** Hits that hold another canary's word, or belong to another user. */
function foreignIn({ hits }: SearchReply, canary: Canary): number {
  const birds = CANARIES.map(({ bird }) => bird).filter((bird) => bird !== canary.bird);
  return hits.filter(
    (hit) =>
      birds.some((bird) => hit.text.includes(bird)) ||
      (hit.user_id !== null && hit.user_id !== canary.principal.userId),
  ).length;
}
