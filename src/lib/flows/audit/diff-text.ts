import type { AuditChange, AuditDiff } from "../../contract/audit.ts";

/** Changes of one kind that the text lists; the JSON has more. */
const LINES_MAX = 500;

/** A difference as people read it, 7-bit but for names of theirs. Pure. */
export function diffText(diff: AuditDiff): string {
  const against = diff.previous_day === null ? "the first one" : `against ${diff.previous_day}`;
  const lines = [
    `Audit of ${diff.day}, ${against}: ${diff.alarming_count} alarming, ${diff.expected_count} expected`,
    ...section("Alarming", diff.changes, "alarming"),
    ...section("Expected", diff.changes, "expected"),
  ];
  return `${lines.join("\n")}\n`;
}

function section(title: string, changes: readonly AuditChange[], verdict: AuditChange["verdict"]): readonly string[] {
  const own = changes.filter((change) => change.verdict === verdict);
  if (own.length === 0) return [];
  const shown = own.slice(0, LINES_MAX);
  const cells = shown.map((change) => [
    change.tenant_id ?? "(all)",
    change.name,
    `${valueText(change.before)} -> ${valueText(change.after)}`,
    differenceText(change),
    change.reason,
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => (row[column] ?? "").length)));
  const rows = cells.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd(),
  );
  const more = own.length - shown.length;
  return ["", title, ...rows, ...(more > 0 ? [`  and ${more} more`] : [])];
}

function valueText(value: AuditChange["before"]): string {
  if (value === null) return "none";
  return typeof value === "number" ? value.toLocaleString("en-US") : value;
}

function differenceText({ before, after }: AuditChange): string {
  if (typeof before !== "number" || typeof after !== "number") return "";
  const difference = after - before;
  return `${difference > 0 ? "+" : ""}${difference.toLocaleString("en-US")}`;
}
