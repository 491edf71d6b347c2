import { ok, type Result } from "../../base/result.ts";
import {
  hasVectorRowSchema,
  indexNameRowSchema,
  SELECT_HAS_VECTOR,
  SELECT_INVALID_INDEXES,
} from "../../db/queries/maintenance.ts";
import {
  indexStateRowSchema,
  lexicalIndex,
  partitionRowSchema,
  searchedModelRowSchema,
  selectIndexStates,
  selectPartitions,
  selectSearchedModels,
  vectorIndex,
} from "../../db/queries/search-maintenance.ts";
import { SELECT_UNPROVEN_INDEXES } from "../../db/queries/search-recall.ts";
import type { Row, Sql, SqlError, Statement } from "../../db/sql.ts";
import { LARGE_ROWS_MIN } from "../search-recall/build-search-index.ts";

export interface IndexAdvice {
  /** Indexes that a large partition should have and has not, each with the statement that builds it. `jeeves build-index` builds them all. */
  readonly missingIndexes: readonly { readonly name: string; readonly partitionRows: number; readonly build: string }[];
  /** Indexes that no query uses because their build was cut off. `jeeves build-index` builds those of search anew. */
  readonly invalidIndexes: readonly string[];
  /** Indexes of vectors that no search uses because nothing has measured them. `jeeves build-index` does. */
  readonly unprovenIndexes: readonly string[];
}

/** What the owner of a database should build. Reads the catalogue only, which every role may. */
export async function adviseIndexes(sql: Sql): Promise<Result<IndexAdvice, SqlError>> {
  const asked: readonly Statement[] = [
    SELECT_INVALID_INDEXES,
    SELECT_HAS_VECTOR,
    selectPartitions(),
    selectSearchedModels(),
    SELECT_UNPROVEN_INDEXES,
  ];
  const answers = await sql.transaction({ tenantId: "", userId: "" }, asked, { readOnly: true });
  if (!answers.ok) return answers;
  const [invalid = [], hasVector = [], partitions = [], models = [], unproven = []] = answers.value;
  const namesOf = (rows: readonly Row[]): string[] => rows.map((row) => indexNameRowSchema.parse(row).name);
  const isSearchIndexed = hasVector.some((row) => hasVectorRowSchema.parse(row).has_vector);
  const wanted = isSearchIndexed ? wantedIndexes(partitions, models) : [];
  const states = await sql.query(selectIndexStates(wanted.map(({ name }) => name)));
  if (!states.ok) return states;
  const present = new Set(states.value.map((row) => indexStateRowSchema.parse(row).name));
  return ok({
    missingIndexes: wanted.filter(({ name }) => !present.has(name)),
    invalidIndexes: namesOf(invalid),
    unprovenIndexes: namesOf(unproven),
  });
}

function wantedIndexes(partitions: readonly Row[], models: readonly Row[]): IndexAdvice["missingIndexes"] {
  const large = partitions
    .map((row) => partitionRowSchema.parse(row))
    .filter(({ row_count: rows }) => rows >= LARGE_ROWS_MIN);
  const searched = models.map((row) => searchedModelRowSchema.parse(row));
  return large.flatMap(({ partition, row_count: partitionRows }) =>
    [
      lexicalIndex(partition),
      ...searched.map((model) => vectorIndex(partition, { modelId: model.model_id, dimensions: model.dimensions })),
    ].map(({ name, build }) => ({ name, partitionRows, build: build.text })),
  );
}
