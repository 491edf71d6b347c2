/** What Node prepares for the suites inside workerd. */
export interface Provided {
  readonly connectionString: string;
  readonly ownerConnectionString: string;
  readonly endpointUrl: string;
}

declare module "vitest" {
  interface ProvidedContext {
    provided: Provided;
  }
}
