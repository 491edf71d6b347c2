/** What a statement really does in the server: its plan, its buffers, and every index and table that it scanned, also inside functions. */
import { z } from "zod";
import type { Row, Sql, Statement } from "../../src/lib/db/sql.ts";
import { expectOk, statement } from "../../test/support/database.ts";
import type { HotQuery } from "./hot-queries.ts";

export interface Examined {
  readonly planningMs: number;
  readonly executionMs: number;
  readonly rowCount: number;
  /** Pages of 8 KB, found in shared buffers or read. */
  readonly bufferCount: number;
  readonly indexes: readonly string[];
  /** Tables that were read from end to end. */
  readonly wholeTables: readonly string[];
}

interface PlanNode {
  readonly "Node Type": string;
  readonly "Relation Name"?: string | undefined;
  readonly "Index Name"?: string | undefined;
  readonly "Actual Loops"?: number | undefined;
  readonly Plans?: readonly PlanNode[] | undefined;
}

const nodeSchema: z.ZodType<PlanNode> = z.lazy(() =>
  z.object({
    "Node Type": z.string(),
    "Relation Name": z.string().optional(),
    "Index Name": z.string().optional(),
    "Actual Loops": z.number().optional(),
    Plans: z.array(nodeSchema).optional(),
  }),
);

const planSchema = z.tuple([
  z.object({
    Plan: z.intersection(
      nodeSchema,
      z.object({
        "Actual Rows": z.number().default(0),
        "Shared Hit Blocks": z.number().default(0),
        "Shared Read Blocks": z.number().default(0),
      }),
    ),
    "Planning Time": z.number().default(0),
    "Execution Time": z.number().default(0),
  }),
]);

// Scans that this session has begun and not yet reported; a table's own number is that of its sequential scans.
const SCANNED = statement(
  `select c.relname as name, c.relkind = 'i' as is_index, pg_stat_get_xact_numscans(c.oid)::int as scan_count from pg_class c
   where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'i') and pg_stat_get_xact_numscans(c.oid) > 0`,
);

const scannedRowSchema = z.object({ name: z.string(), is_index: z.boolean(), scan_count: z.int() });
type ScannedRow = z.infer<typeof scannedRowSchema>;

function scannedSince(before: readonly Row[], after: readonly Row[]): ScannedRow[] {
  const counts = new Map(before.map((row) => scannedRowSchema.parse(row)).map((row) => [row.name, row.scan_count]));
  return after.map((row) => scannedRowSchema.parse(row)).filter((row) => row.scan_count > (counts.get(row.name) ?? 0));
}

/** Runs the query in a transaction of its own, as the role that `sql` is. */
export async function examine(
  sql: Sql,
  { scope, settings, statement: asked, isPlannedOnly }: HotQuery,
): Promise<Examined> {
  const options = isPlannedOnly === true ? "format json" : "analyze, buffers, format json";
  const explained: Statement = { text: `explain (${options}) ${asked.text}`, params: asked.params };
  const results = expectOk(
    await sql.transaction(scope, [...settings, SCANNED, explained, SCANNED], { timeoutMs: 120_000 }),
  );
  const [plan] = planSchema.parse(results.at(-2)?.[0]?.["QUERY PLAN"]);
  const nodes = executedNodes(plan.Plan, isPlannedOnly === true);
  const scanned = isPlannedOnly === true ? [] : scannedSince(results.at(-3) ?? [], results.at(-1) ?? []);
  const named = (names: readonly (string | undefined)[]): string[] =>
    [...new Set(names.filter((name) => name !== undefined))].sort();
  return {
    planningMs: plan["Planning Time"],
    executionMs: plan["Execution Time"],
    rowCount: plan.Plan["Actual Rows"],
    bufferCount: plan.Plan["Shared Hit Blocks"] + plan.Plan["Shared Read Blocks"],
    indexes: named([
      ...nodes.map((node) => node["Index Name"]),
      ...scanned.filter((row) => row.is_index).map((row) => row.name),
    ]),
    wholeTables: named([
      ...nodes.filter((node) => node["Node Type"] === "Seq Scan").map((node) => node["Relation Name"]),
      ...scanned.filter((row) => !row.is_index).map((row) => row.name),
    ]),
  };
}

function executedNodes(node: PlanNode, isPlannedOnly: boolean): PlanNode[] {
  const below = (node.Plans ?? []).flatMap((child) => executedNodes(child, isPlannedOnly));
  return isPlannedOnly || (node["Actual Loops"] ?? 0) > 0 ? [node, ...below] : below;
}

/** Tables that grow with what is stored: none may be read from end to end. */
const GROWING =
  /^(doc_embeddings_p\d+|documents|receipts|wal_ledger|document_signatures|signature_bands|artifact_members|lexeme_stats)$/;
const PARTITION_INDEX = /^(doc_embeddings_p\d+)_/;

/** Why a query does not keep what growth needs of it; empty where it does. Pure. */
export function planFaults(
  { expects }: Pick<HotQuery, "expects">,
  examined: Pick<Examined, "indexes" | "wholeTables">,
): string[] {
  const { indexes, wholeTables } = examined;
  const partitions = new Set(indexes.flatMap((name) => PARTITION_INDEX.exec(name)?.slice(1) ?? []));
  return [
    ...wholeTables.filter((table) => GROWING.test(table)).map((table) => `reads all of ${table}`),
    ...expects
      .filter((index) => !indexes.some((name) => index.test(name)))
      .map((index) => `does not use ${index.source}`),
    ...(partitions.size > 1 ? [`looks into ${partitions.size} partitions`] : []),
  ];
}
