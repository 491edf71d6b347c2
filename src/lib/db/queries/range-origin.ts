export interface BatchOrigin {
  readonly tenantId: string;
  readonly batchTag: string;
  readonly walKey: string;
  readonly walId: string;
}

export interface RangeOrigin extends BatchOrigin {
  readonly modelId: number;
  /** Of the request: with what it was judged. */
  readonly gateVersion: string;
  readonly piiVersion: string;
  readonly policyVersion: number;
}
