import { analyse } from "./analyse.ts";
import { LEXEME_DIMENSIONS } from "./lexeme.ts";

/** Terms of a query at most. Longer ones are documents; their first terms of each count are taken. */
export const QUERY_TERMS_MAX = 48;

/** Terms in one packed query vector: six base-16 digits fill the 24 bits that a float32 sum keeps exact. */
export const TERMS_PER_PACK = 6;

/** One different stem of a query. */
export interface QueryTerm {
  /** 1..2^29, as stored. */
  readonly dimension: number;
  /** How often the query says it. */
  readonly queryCount: number;
}

/** Terms of a query: what it says more often first, then in the order said; at most QUERY_TERMS_MAX. */
export function queryTermsOf(query: string): QueryTerm[] {
  const terms = [...analyse(query).counts].map(([dimension, queryCount]) => ({ dimension, queryCount }));
  return terms.sort((a, b) => b.queryCount - a.queryCount).slice(0, QUERY_TERMS_MAX);
}

/**
 * Query vectors whose inner product with a stored sparsevec returns six term counts at once: term j of a pack has weight 16^j and
 * stored counts are 0..15, so the product is a number of six base-16 digits, below 2^24, hence exact in pgvector's float32 sum.
 */
export function packedQueries(terms: readonly QueryTerm[]): string[] {
  const packs: string[] = [];
  for (let first = 0; first < terms.length; first += TERMS_PER_PACK) {
    const weighted = terms
      .slice(first, first + TERMS_PER_PACK)
      .map((term, digit) => [term.dimension, 16 ** digit] as const)
      .sort((a, b) => a[0] - b[0]);
    packs.push(`{${weighted.map(([dimension, weight]) => `${dimension}:${weight}`).join(",")}}/${LEXEME_DIMENSIONS}`);
  }
  return packs;
}
