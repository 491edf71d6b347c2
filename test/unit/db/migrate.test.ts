import { describe, expect, it } from "vitest";
import { chooseVariant, concurrentIndexName, planMigrations, readMigrations } from "../../../src/lib/db/migrate.ts";
import type { Migration, MigrationFile } from "../../../src/lib/db/migrate.ts";

function read(...files: [string, string][]): readonly Migration[] {
  const result = readMigrations(files.map(([fileName, text]) => ({ fileName, text })));
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

function refusal(...files: [string, string][]): string {
  const result = readMigrations(files.map(([fileName, text]): MigrationFile => ({ fileName, text })));
  return result.ok ? "accepted" : result.error.code;
}

describe("readMigrations", () => {
  it("orders by version and splits each file", () => {
    const [first, second] = read(["0002_b.sql", "select 2; select 3"], ["0001_a.sql", "select 1"]);
    expect(first).toMatchObject({ version: 1, name: "a", variant: "", isTransactional: true });
    expect(second?.statements).toEqual(["select 2", "select 3"]);
  });

  it("has one checksum for LF and CRLF and another for any other change", () => {
    const checksum = (text: string) => read(["0001_a.sql", text])[0]?.checksum;
    expect(checksum("a\nb")).toBe(checksum("a\r\nb"));
    expect(checksum("a\nb")).not.toBe(checksum("a\nb "));
  });

  it("refuses wrong names, gaps, doubles and a variant without its twin", () => {
    expect(refusal(["1_a.sql", ""])).toBe("migration_invalid");
    expect(refusal(["0001_A.sql", ""])).toBe("migration_invalid");
    expect(refusal(["0002_a.sql", ""])).toBe("migration_invalid");
    expect(refusal(["0001_a.sql", ""], ["0001_b.sql", ""])).toBe("migration_invalid");
    expect(refusal(["0001_a.vector.sql", ""])).toBe("migration_invalid");
    expect(refusal(["0001_a.vector.sql", ""], ["0001_b.jsonb.sql", ""])).toBe("migration_invalid");
    expect(refusal(["0001_a.vector.sql", ""], ["0001_a.jsonb.sql", ""])).toBe("accepted");
  });

  it("takes into a no-transaction file only what can be repeated", () => {
    const file = (text: string) => refusal(["0001_a.sql", `-- no-transaction\n${text}`]);
    expect(file("create index concurrently if not exists i on t (a);\n-- then\nvacuum analyze t;")).toBe("accepted");
    expect(file("create index concurrently i on t (a)")).toBe("migration_invalid");
    expect(file("insert into t values (1)")).toBe("migration_invalid");
    expect(file("drop table t")).toBe("migration_invalid");
  });
});

describe("concurrentIndexName", () => {
  it("finds the index a statement builds concurrently, behind comments", () => {
    expect(concurrentIndexName("-- x\nCREATE UNIQUE INDEX CONCURRENTLY\n IF NOT EXISTS some_index ON t (a)")).toBe(
      "some_index",
    );
    expect(concurrentIndexName("vacuum t")).toBeUndefined();
  });
});

describe("planMigrations", () => {
  const all = read(
    ["0001_a.sql", "select 1"],
    ["0002_b.vector.sql", "select 2"],
    ["0002_b.jsonb.sql", "select 3"],
    ["0003_c.sql", "select 4"],
  );
  const names = (variant: "vector" | "jsonb", applied: readonly Migration[]) => {
    const plan = planMigrations(all, applied, variant);
    return plan.ok ? plan.value.map((migration) => `${migration.name}${migration.variant}`) : plan.error.code;
  };
  const some = (...indexes: number[]) => all.filter((_, index) => indexes.includes(index));

  it("gives what is not applied yet, of the database's own variant", () => {
    expect(names("vector", [])).toEqual(["a", "bvector", "c"]);
    expect(names("jsonb", some(0))).toEqual(["bjsonb", "c"]);
    expect(names("jsonb", some(0, 1, 3))).toEqual([]);
  });

  it("refuses an applied migration of another text, of no file, and one that was left out", () => {
    expect(
      names(
        "vector",
        some(0).map((each) => ({ ...each, checksum: "0" })),
      ),
    ).toBe("migration_edited");
    expect(names("vector", [...some(0, 2, 3), ...some(3).map((each) => ({ ...each, version: 4 }))])).toBe(
      "migration_missing",
    );
    expect(names("vector", some(0, 3))).toBe("migration_missing");
  });

  it("stays with the variant a database was begun with", () => {
    expect(chooseVariant([], true)).toBe("vector");
    expect(chooseVariant([], false)).toBe("jsonb");
    expect(chooseVariant(some(0, 1), true)).toBe("jsonb");
    expect(chooseVariant(some(0, 2), false)).toBe("vector");
  });
});
