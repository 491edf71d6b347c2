/** Searches as requests make them, of scopes of different sizes and through different filters. */
import { exactCandidates } from "../../src/lib/db/queries/search.ts";
import { indexedCandidates, searchSettings } from "../../src/lib/db/queries/search-indexed.ts";
import type { CandidateFilters, CandidateSearch } from "../../src/lib/db/queries/search-parts.ts";
import { BM25_B, BM25_K1 } from "../../src/lib/lexical/bm25.ts";
import { packedQueries, queryTermsOf } from "../../src/lib/lexical/query-terms.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { MODEL_ID } from "./row-writers.ts";
import type { HotQuery } from "./hot-queries.ts";
import { SOURCE_COUNT, type RowSources } from "./synthetic-rows.ts";
import type { TenantPlan } from "./tenant-plan.ts";

export interface SearchCase {
  readonly name: string;
  readonly tenantId: string;
  readonly userId: string;
  readonly tiers: readonly string[];
  readonly filters: CandidateFilters;
  readonly path: "exact" | "indexed";
  /** So little passes that the planner may rather read the scope by its b-tree than follow the graph. */
  readonly isNarrow: boolean;
}

const MONTH = { occurredFrom: "2024-06-01T00:00:00Z", occurredBefore: "2024-07-01T00:00:00Z" };

export function searchCases({ giant, middle, small }: TenantPlan): SearchCase[] {
  const inGiant = (name: string, filters: CandidateFilters, more: Partial<SearchCase> = {}): SearchCase => ({
    name: `giant, ${name}`,
    tenantId: giant.tenantId,
    userId: "",
    tiers: [],
    filters,
    path: "indexed",
    isNarrow: false,
    ...more,
  });
  return [
    { ...inGiant("", {}), name: "small tenant beside the giant", tenantId: small.tenantId, path: "exact" },
    inGiant("no filter", {}),
    inGiant("one user's", {}, { userId: "user-3" }),
    inGiant("one tier", {}, { tiers: ["doc"] }),
    {
      ...inGiant("", {}, { isNarrow: true }),
      name: "middle tenant beside the giant",
      tenantId: middle.tenantId,
    },
    inGiant("source of 17 %", { sources: ["source-0"] }),
    inGiant("source of 0.17 %", { sources: [`source-${SOURCE_COUNT - 1}`] }, { isNarrow: true }),
    inGiant("one month of 36", MONTH, { isNarrow: true }),
    inGiant("topic in metadata, 0.2 %", { metadata: { topic: "topic-7" } }, { isNarrow: true }),
    inGiant("as of a time", { asOf: "2025-06-01T00:00:00Z" }),
  ];
}

export interface SearchSetting {
  readonly sources: RowSources;
  /** Chunks of a scope up to which every row is looked at. */
  readonly exactRowsMax: number;
}

/** One search of a case; another query text and vector for each turn. */
export function searchOf(
  searched: SearchCase,
  turn: number,
  { sources, exactRowsMax }: SearchSetting,
): CandidateSearch {
  const random = new SeededRandom(1_000_003 * (turn + 1));
  const vector = new Float64Array(sources.vectors.dimensions);
  sources.vectors.next(random, vector);
  const terms = queryTermsOf(sources.texts.next(random, 4).text);
  return {
    variant: "vector",
    tenantId: searched.tenantId,
    userId: searched.userId,
    tiers: searched.tiers,
    modelId: MODEL_ID,
    dimensions: sources.vectors.dimensions,
    queryVector: [...vector],
    terms,
    packs: packedQueries(terms),
    bm25: { k1: BM25_K1, b: BM25_B },
    filters: searched.filters,
    candidatesMax: 50,
    exactRowsMax,
  };
}

/** The statement that answers it, with the indexes that it has to use. */
export function searchQuery(searched: SearchCase, turn: number, setting: SearchSetting): HotQuery {
  const search = searchOf(searched, turn, setting);
  return {
    name: `search: ${searched.name}`,
    scope: { tenantId: searched.tenantId, userId: searched.userId },
    settings: [searchSettings(search)],
    statement: searched.path === "exact" ? exactCandidates(search) : indexedCandidates(search),
    expects: indexesOf(searched),
  };
}

function indexesOf({ path, isNarrow }: SearchCase): RegExp[] {
  const scope = /^doc_embeddings_p\d+_(tenant_id_user_id_tier_model_id_idx|pkey)$/;
  if (path === "exact") return [scope];
  return [/_lexemes$/, /^documents_pkey$/, isNarrow ? scope : /_hnsw_m1$/];
}
