import { ok, type Result } from "../../base/result.ts";
import {
  scopeRowSchema,
  selectScopesOfPartition,
  upsertIndexProof,
  type IndexProof,
} from "../../db/queries/search-recall.ts";
import type { Scope, Sql, SqlError } from "../../db/sql.ts";
import {
  countFound,
  EF_SEARCH_MIN,
  type KnownAnswer,
  knownAnswers,
  NO_RECALL,
  RECALL_MIN,
  recallOf,
  type RecallTally,
} from "./measure-recall.ts";

export interface BuiltIndex {
  readonly name: string;
  readonly partition: string;
  readonly model: { readonly modelId: number; readonly dimensions: number };
}

interface ProofContext {
  /** As the owner of the tables, free of row-level security. */
  readonly ownerSql: Sql;
  /** As the application. */
  readonly sql: Sql;
}

/** Scopes of a partition that are measured, the largest, and samples of each: 600 neighbours, of which one in a hundred can be told. */
const SCOPES_MAX = 3;
const SAMPLES_OF_SCOPE = 20;
/** Breadths of search that are tried, one after the other, until one is good enough. The last costs about eight times the first. */
const EF_SEARCH_STEPS = [EF_SEARCH_MIN, 2 * EF_SEARCH_MIN, 4 * EF_SEARCH_MIN, 8 * EF_SEARCH_MIN] as const;

/**
 * Holds what a new index of vectors finds against what is there, in the largest scopes of its partition, and notes the least breadth of search that finds
 * `RECALL_MIN` of it. From then on searches use the index; where none is enough it is noted as refused, and they look at every row as before.
 * Without a scope of `chunksMin` chunks nothing searches by it: then it is measured in the largest there is.
 */
export async function proveIndex(
  context: ProofContext,
  index: BuiltIndex,
  chunksMin: number,
): Promise<Result<IndexProof, SqlError>> {
  const scopes = await scopesOf(context, index, chunksMin);
  if (!scopes.ok) return scopes;
  const known: KnownAnswer[] = [];
  for (const scope of scopes.value.scopes) {
    const { chunksMin: least } = scopes.value;
    const asked = { scope, model: index.model, chunksMin: least, sampleCount: SAMPLES_OF_SCOPE, rotation: 0 };
    const answers = await knownAnswers(context.sql, asked);
    if (!answers.ok) return answers;
    known.push(...answers.value);
  }
  let tally: RecallTally = NO_RECALL;
  let efSearch: number = EF_SEARCH_STEPS[0];
  for (efSearch of EF_SEARCH_STEPS) {
    const found = await countFound(context.sql, known, efSearch);
    if (!found.ok) return found;
    tally = found.value;
    if (recallOf(tally) >= RECALL_MIN) break;
  }
  const recall = recallOf(tally);
  const proof = {
    indexName: index.name,
    partition: index.partition,
    modelId: index.model.modelId,
    isApproved: recall >= RECALL_MIN,
    efSearch,
    recall,
    sampleCount: tally.sampleCount,
  };
  const noted = await context.ownerSql.query(upsertIndexProof(proof));
  return noted.ok ? ok(proof) : noted;
}

interface MeasuredScopes {
  readonly scopes: readonly Scope[];
  /** Of tiers that are measured. */
  readonly chunksMin: number;
}

async function scopesOf(
  { ownerSql }: ProofContext,
  { partition, model }: BuiltIndex,
  chunksMin: number,
): Promise<Result<MeasuredScopes, SqlError>> {
  for (const least of [chunksMin, 0]) {
    const asked = { modelId: model.modelId, chunksMin: least, rowsMax: SCOPES_MAX };
    const rows = await ownerSql.query(selectScopesOfPartition(partition, asked));
    if (!rows.ok) return rows;
    if (rows.value.length === 0) continue;
    const scopes = rows.value.map((row) => {
      const scope = scopeRowSchema.parse(row);
      return { tenantId: scope.tenant_id, userId: scope.user_id };
    });
    return ok({ scopes, chunksMin: least });
  }
  return ok({ scopes: [], chunksMin });
}
