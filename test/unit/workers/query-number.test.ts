import { describe, expect, it } from "vitest";
import { z } from "zod";
import { queryNumber } from "../../../src/workers/http/query-number.ts";

const price = queryNumber(z.coerce.number().min(0).max(10));

describe("a number in a query", () => {
  it("is read from its digits, and is none where there are none", () => {
    expect(price.parse("0")).toBe(0);
    expect(price.parse("1.5")).toBe(1.5);
    for (const text of ["", " ", "\t", " x", "11", "-1", "NaN"])
      expect(price.safeParse(text).success, text).toBe(false);
    expect(price.optional().parse(undefined)).toBeUndefined();
  });

  it("is published as the number that it is", () => {
    const query = z.strictObject({ price: price.optional().describe("of a million tokens"), part: price.default(0) });
    const { properties, required } = z.toJSONSchema(query, { io: "input", unrepresentable: "any" });
    expect(properties).toEqual({
      price: { description: "of a million tokens", type: "number", minimum: 0, maximum: 10 },
      part: { type: "number", minimum: 0, maximum: 10 },
    });
    expect(required).toBeUndefined();
  });
});
