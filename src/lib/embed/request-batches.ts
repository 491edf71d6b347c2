/** Bounds of one request to the embedding server. */
export interface RequestBudget {
  /** Texts of one request; text-embeddings-inference refuses more than 32 by default. */
  readonly textsMax: number;
  /** Tokens of one request: large enough to keep the server busy, small enough that several share it fairly. */
  readonly tokensMax: number;
}

/**
 * Groups texts, given by their token counts, into requests: longest first, so that texts of like length share a
 * padded batch on the server. Returns positions into `tokenCounts`; each position is in exactly one group. Pure.
 * A single text over `tokensMax` makes a group of its own: whether it is too long is the server's answer.
 */
export function requestBatches(tokenCounts: readonly number[], budget: RequestBudget): readonly (readonly number[])[] {
  const order = tokenCounts.map((_, position) => position);
  order.sort((a, b) => (tokenCounts[b] ?? 0) - (tokenCounts[a] ?? 0) || a - b);
  const groups: number[][] = [];
  let group: number[] = [];
  let groupTokens = 0;
  for (const position of order) {
    const tokens = tokenCounts[position] ?? 0;
    const full = group.length >= budget.textsMax || groupTokens + tokens > budget.tokensMax;
    if (full && group.length > 0) {
      groups.push(group);
      group = [];
      groupTokens = 0;
    }
    group.push(position);
    groupTokens += tokens;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}
