import type { Tier } from "../contract/scope.ts";

/** What of an input, besides its text, decides whether it can be the duplicate of another. */
export interface DuplicateContext {
  readonly tenantId: string;
  /** '' = shared by the tenant. */
  readonly userId: string;
  readonly tier: Tier;
  /** Who said it; '' where nobody is named. */
  readonly speaker: string;
  readonly occurredAtMs: number | null;
}

/** Milliseconds within which a speaker's equal words are one event sent twice. A client's second try keeps its time, a person needs longer to mean it twice. */
const SAME_EVENT_MS = 5_000;
/** Tiers whose entries stand for something that happened: equal words at another time are another event. */
const TIMED_TIERS: ReadonlySet<Tier> = new Set<Tier>(["event", "summary"]);

/** Inputs of different keys are never duplicates of each other. */
export function duplicateScopeKey(input: DuplicateContext): string {
  const speaker = TIMED_TIERS.has(input.tier) ? input.speaker : "";
  return JSON.stringify([input.tenantId, input.userId, input.tier, speaker]);
}

/**
 * Whether equal texts of these two would be one thing stored twice: the same tenant, user and tier; for events and summaries also the
 * same speaker and times at most five seconds apart. Without a time two events stay two, since nothing says that they are one.
 */
export function mayBeDuplicates(a: DuplicateContext, b: DuplicateContext): boolean {
  if (duplicateScopeKey(a) !== duplicateScopeKey(b)) return false;
  if (!TIMED_TIERS.has(a.tier)) return true;
  if (a.occurredAtMs === null || b.occurredAtMs === null) return false;
  return Math.abs(a.occurredAtMs - b.occurredAtMs) <= SAME_EVENT_MS;
}
