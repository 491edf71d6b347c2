import { expect, it } from "vitest";
import { sampleSize } from "../../../../src/lib/flows/audit/sample-documents.ts";
import { addCounts, addFinding, boundSources, emptyAudit } from "../../../../src/lib/flows/audit/tenant-tally.ts";

it("keeps the sources with most documents, and sums up the others", () => {
  const counts: Record<string, number> = { documents: 10 };
  addCounts(
    counts,
    Array.from({ length: 60 }, (_, index) => ({ name: `source.s${index}`, count: index + 1 })),
  );
  addCounts(counts, [{ name: "source.s0", count: 100 }]);
  boundSources(counts);
  const named = Object.keys(counts).filter((name) => name.startsWith("source."));
  expect(named).toHaveLength(50);
  expect(counts["source.s0"]).toBe(101);
  expect(counts["sources_other"]).toBe(
    Array.from({ length: 10 }, (_, index) => index + 2).reduce((sum, n) => sum + n, 0),
  );
  expect(counts["documents"]).toBe(10);
});

it("names ten subjects of a finding, and counts all", () => {
  const audit = emptyAudit("acme", "");
  addFinding(audit, "vector_norm", ["a"]);
  addFinding(
    audit,
    "vector_norm",
    Array.from({ length: 20 }, (_, index) => `b${index}`),
    500,
  );
  addFinding(audit, "chunk_hash", []);
  expect(audit.findings).toHaveLength(1);
  expect(audit.findings[0]).toMatchObject({ check: "vector_norm", count: 501 });
  expect(audit.findings[0]?.subjects).toHaveLength(10);
});

it("looks at every document of a tenant in four weeks, as long as they are not too many", () => {
  expect(sampleSize(3)).toBe(50);
  expect(sampleSize(28_000)).toBe(1_000);
  expect(sampleSize(56_000) * 28).toBeGreaterThanOrEqual(56_000);
  expect(sampleSize(10_000_000)).toBe(2_000);
});
