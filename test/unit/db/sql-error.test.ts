import { describe, expect, it } from "vitest";
import { sqlErrorOf } from "../../../src/lib/db/sql-error.ts";

function databaseError(code: string, constraint?: string): Error {
  return Object.assign(new Error("Key (text)=(private words) already exists."), { code, constraint });
}

describe("sqlErrorOf", () => {
  it.each([
    ["40001", "serialization_failure", true],
    ["40P01", "serialization_failure", true],
    ["23505", "unique_violation", false],
    ["23503", "constraint_violation", false],
    ["23514", "constraint_violation", false],
    ["57014", "database_timeout", true],
    ["55P03", "database_timeout", true],
    ["57P01", "database_unavailable", true],
    ["53300", "database_unavailable", true],
    ["08006", "database_unavailable", true],
    ["42501", "database_error", false],
    ["42P01", "database_error", false],
    ["22P02", "database_error", false],
    ["28P01", "database_error", false],
  ])("sorts SQLSTATE %s into %s, retryable %s", (sqlState, code, retryable) => {
    expect(sqlErrorOf({ cause: databaseError(sqlState), httpStatus: 400 })).toMatchObject({
      code,
      retryable,
      sqlState,
    });
  });

  it.each([
    [413, "too_large", false],
    [507, "too_large", false],
    [429, "database_unavailable", true],
    [500, "database_unavailable", true],
    [503, "database_unavailable", true],
    [504, "database_timeout", true],
    [403, "database_error", false],
  ])("sorts HTTP status %s into %s, retryable %s", (httpStatus, code, retryable) => {
    expect(sqlErrorOf({ cause: new Error("text"), httpStatus })).toMatchObject({ code, retryable });
  });

  it("tells a timeout from a lost connection, wrapped by the driver or not", () => {
    const timeout = Object.assign(new Error("t"), { name: "TimeoutError" });
    expect(sqlErrorOf({ cause: timeout, httpStatus: 200 }).code).toBe("database_timeout");
    expect(sqlErrorOf({ cause: { sourceError: timeout } }).code).toBe("database_timeout");
    expect(sqlErrorOf({ cause: new TypeError("fetch failed") })).toMatchObject({
      code: "database_unavailable",
      retryable: true,
    });
  });

  it("names the constraint but never prints the cause, which can quote rows", () => {
    const error = sqlErrorOf({ cause: databaseError("23505", "documents_pkey"), httpStatus: 400 });
    expect(error.constraint).toBe("documents_pkey");
    expect(error.cause).toBeInstanceOf(Error);
    expect(JSON.stringify(error)).not.toContain("private");
    expect({ ...error }).not.toHaveProperty("cause");
  });
});
