import { err, ok, type Result } from "../../base/result.ts";
import { Semaphore } from "../../base/semaphore.ts";
import { type Pair, pairedListing } from "./paired-listing.ts";
import type { Ends } from "./sync-context.ts";
import { caught, type SyncError } from "./sync-error.ts";

/** Pairs that are worked on before the time is looked at: at worst 400 MB. */
const GROUP_PAIRS = 50;
/** Objects at a time: each holds a piece and its copy, and an invocation waits for the headers of six replies at most. */
const PAIRS_AT_ONCE = 4;

/** What became of a pair. `later`: it needs the time of its own, alone. */
export type Visited = { readonly outcome: "visited" } | { readonly outcome: "later" };

export const VISITED: Result<Visited, SyncError> = ok({ outcome: "visited" });

/** The answer of `visitAlone` for a pair that is done with. */
export function isFinished(visited: Result<Visited, SyncError>): Result<boolean, SyncError> {
  return visited.ok ? ok(true) : visited;
}

export interface PairVisitor {
  /** One of several at the same time. */
  readonly visit: (pair: Pair) => Promise<Result<Visited, SyncError>>;
  /** What was left for later, one by one and in order; false: the time is over in the middle of it. */
  readonly visitAlone: (pair: Pair) => Promise<Result<boolean, SyncError>>;
  /** Looked at between groups; false: it is time to stop. `after` is the last key of those that are done. */
  readonly keepPlace: (after: string) => Promise<boolean>;
}

/** Not done: it goes on behind the last key that was kept. */
export interface Walk {
  readonly isDone: boolean;
  readonly error?: SyncError;
}

/** Visits every pair behind `startAfter`, in groups. What ends in the middle of a group is met again by the next walk, with its whole group. */
export async function walkPairs(ends: Ends, startAfter: string, visitor: PairVisitor): Promise<Walk> {
  let group: Pair[] = [];
  for await (const pair of pairedListing(ends, startAfter)) {
    if (!pair.ok) return { isDone: false, error: pair.error };
    group.push(pair.value);
    if (group.length < GROUP_PAIRS) continue;
    const visited = await visitGroup(group, visitor);
    if (!visited.isDone) return visited;
    if (!(await visitor.keepPlace(pair.value.key))) return { isDone: false };
    group = [];
  }
  return visitGroup(group, visitor);
}

async function visitGroup(group: readonly Pair[], visitor: PairVisitor): Promise<Walk> {
  const calls = new Semaphore(PAIRS_AT_ONCE);
  let failed: SyncError | undefined;
  const visitOne = async (pair: Pair): Promise<Result<Visited, SyncError>> => {
    if (failed !== undefined) return err(failed);
    const result = await caught(() => visitor.visit(pair));
    if (!result.ok) failed = result.error;
    return result;
  };
  const visited = await Promise.all(group.map((pair) => calls.run(() => visitOne(pair))));
  if (failed !== undefined) return { isDone: false, error: failed };
  const later = group.filter((_, index) => visited[index]?.ok === true && visited[index].value.outcome === "later");
  for (const pair of later) {
    const alone = await caught(() => visitor.visitAlone(pair));
    if (!alone.ok) return { isDone: false, error: alone.error };
    if (!alone.value) return { isDone: false };
  }
  return { isDone: true };
}
