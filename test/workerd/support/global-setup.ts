import type { TestProject } from "vitest/node";
import { openS3Server } from "../../support/s3-server.ts";
import { openTestDatabase } from "../../support/database.ts";
import type { Provided } from "./provided.ts";

/** Opens a migrated PGlite behind a real /sql endpoint for all suites of the project. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [database, server] = await Promise.all([openTestDatabase({ backend: "pglite" }), openS3Server()]);
  const provided: Provided = {
    connectionString: database.connectionString,
    ownerConnectionString: database.ownerConnectionString,
    endpointUrl: database.endpointUrl,
    s3: server.access,
  };
  project.provide("provided", provided);
  return async () => {
    await Promise.all([database.close(), server.close()]);
  };
}
