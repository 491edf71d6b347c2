import type { S3Access } from "../../../src/lib/s3/s3-request.ts";

/** What Node prepares for the suites inside workerd. */
export interface Provided {
  readonly connectionString: string;
  readonly ownerConnectionString: string;
  readonly endpointUrl: string;
  /** A second remote. */
  readonly s3: S3Access;
}

declare module "vitest" {
  interface ProvidedContext {
    provided: Provided;
  }
}
