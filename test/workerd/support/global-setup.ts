import type { TestProject } from "vitest/node";
import { openTestDatabase } from "../../support/database.ts";
import "./provided.ts";

/** Opens a migrated PGlite behind a real /sql endpoint for all suites of the project. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const database = await openTestDatabase({ backend: "pglite" });
  project.provide("provided", {
    connectionString: database.connectionString,
    ownerConnectionString: database.ownerConnectionString,
    endpointUrl: database.endpointUrl,
  });
  return () => database.close();
}
