import type { TestProject } from "vitest/node";
import { openTestDatabase } from "../../support/database.ts";
import type { Provided } from "./provided.ts";

/** Opens a migrated PGlite behind a real /sql endpoint for all suites of the project. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const database = await openTestDatabase({ backend: "pglite" });
  const provided: Provided = {
    connectionString: database.connectionString,
    ownerConnectionString: database.ownerConnectionString,
    endpointUrl: database.endpointUrl,
  };
  project.provide("provided", provided);
  return () => database.close();
}
