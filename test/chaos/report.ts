import type { CampaignReport, RoundReport } from "./campaign.ts";
import { DISTURBANCE_KINDS, PARTS } from "./plan.ts";

/** What a campaign found, for people. Pure. */
export function reportText(report: CampaignReport): string {
  const { seed, kills, rounds, cutReplies, spoiltReplies, wallMs } = report;
  const last = rounds.at(-1);
  const sum = (count: (round: RoundReport) => number): number =>
    rounds.reduce((total, round) => total + count(round), 0);
  const killed = PARTS.map((part) => `${part} ${sum((round) => round.kills[part] ?? 0)}`).join(", ");
  const others = DISTURBANCE_KINDS.map((kind) => `${kind} ${sum((round) => round.disturbances[kind] ?? 0)}`).join(", ");
  const skipped = [...new Set(rounds.flatMap((round) => round.skipped))];
  const violations = rounds.flatMap((round, index) =>
    round.violations.map((found) => ({ ...found, round: index + 1 })),
  );
  const open = rounds.flatMap((round) => [...round.open, ...round.unanswered]);
  return [
    `Campaign of seed ${seed}: ${kills} kills in ${rounds.length} rounds, ${seconds(wallMs)}`,
    `  killed        ${killed}`,
    `  other faults  ${others}; ${cutReplies} database replies cut after commit, ${spoiltReplies} replies of the embedder late or spoilt`,
    ...skipped.map((why) => `  not made      ${why}`),
    `  clients       ${sum((round) => round.failureCount)} requests failed and were sent again; ${sum((round) => round.repeatCount)} answered ones repeated`,
    `  accepted      ${last?.requestCount ?? 0} requests with ${last?.documentCount ?? 0} documents, ${last?.eventCount ?? 0} events of sessions, ${last?.entryCount ?? 0} entries through the bridge`,
    `  quiet after   ${rounds.map(({ drainMs }) => seconds(drainMs)).join(", ")}`,
    ...open.slice(0, LISTED_MAX).map((what) => `  still open    ${what}`),
    ...violations
      .slice(0, LISTED_MAX)
      .map(({ round, invariant, subject, detail }) => `  round ${round}  ${invariant}: ${subject}: ${detail}`),
    violations.length === 0 && open.length === 0
      ? "Everything that was promised holds."
      : `${violations.length} promises are broken, ${open.length} things did not come to an end.`,
  ].join("\n");
}

const LISTED_MAX = 40;

/** Whether all that was promised held, after every round. */
export function isSound({ rounds }: CampaignReport): boolean {
  return rounds.every(({ violations, open, unanswered }) => violations.length + open.length + unanswered.length === 0);
}

function seconds(durationMs: number): string {
  return `${Math.round(durationMs / 1000)} s`;
}
