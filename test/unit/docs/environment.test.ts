import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { environmentDocument } from "../../../ops/environment-table.ts";
import { VARIABLES, variablesSchema } from "../../../src/workers/variables.ts";

const DOCS = new URL("../../../docs/", import.meta.url);

describe("docs/environment.md", () => {
  it("is what the schema of the environment says (npm run environment)", () => {
    expect(readFileSync(new URL("environment.md", DOCS), "utf8")).toBe(environmentDocument());
  });

  it("leads to a document that names the variable", () => {
    for (const [name, schema] of Object.entries(variablesSchema.shape)) {
      const guide = VARIABLES.get(schema)?.guide ?? "";
      expect(existsSync(new URL(guide, DOCS)), `${name}: ${guide}`).toBe(true);
      expect(readFileSync(new URL(guide, DOCS), "utf8"), guide).toContain(name);
    }
  });
});
