/** Of the ten nearest vectors under a filter, how many the indexed way finds. */
import type { Sql, Statement } from "../../src/lib/db/sql.ts";
import { candidateRowSchema, exactCandidates } from "../../src/lib/db/queries/search.ts";
import { indexedCandidates, searchSettings } from "../../src/lib/db/queries/search-indexed.ts";
import { expectOk } from "../../test/support/database.ts";
import { searchOf, type SearchCase, type SearchSetting } from "./search-queries.ts";

const TOP = 10;
const TIMEOUT_MS = 120_000;

/** Mean over `turns` queries; 1 where nothing passes the filter. */
export async function filteredRecall(
  sql: Sql,
  searched: SearchCase,
  setting: SearchSetting,
  turns: number,
): Promise<number> {
  let sum = 0;
  for (let turn = 0; turn < turns; turn += 1) {
    const search = { ...searchOf(searched, turn, setting), terms: [], packs: [] };
    const scores = async (statement: Statement): Promise<number[]> => {
      const scope = { tenantId: searched.tenantId, userId: searched.userId };
      const read = await sql.transaction(scope, [searchSettings(search), statement], {
        readOnly: true,
        timeoutMs: TIMEOUT_MS,
      });
      const rows = (expectOk(read).at(-1) ?? []).map((row) => candidateRowSchema.parse(row));
      return rows
        .map((row) => row.vector_score ?? -1)
        .sort((a, b) => b - a)
        .slice(0, TOP);
    };
    const truth = await scores(exactCandidates({ ...search, exactRowsMax: Number.MAX_SAFE_INTEGER }));
    const found = await scores(indexedCandidates(search));
    const worst = truth.at(-1) ?? 0;
    sum += truth.length === 0 ? 1 : found.filter((score) => score >= worst - 1e-6).length / truth.length;
  }
  return sum / turns;
}
