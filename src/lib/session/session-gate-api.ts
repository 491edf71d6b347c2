/** What the gate of sessions offers to the rest of the system. One object admits for all tenants. Times are milliseconds since the Unix epoch. */
import type { Admission, AdmissionRequest, Renewal } from "./admission.ts";

export interface SessionGateApi {
  /** `sessionKey` as `sessionKey()` makes it. */
  admit(request: AdmissionRequest & { readonly nowMs: number }): Promise<Admission>;
  renew(lease: { readonly sessionKey: string; readonly nowMs: number }): Promise<Renewal>;
  /** Gives a lease or a place in the line back. Harmless where there is none. */
  release(lease: { readonly sessionKey: string }): Promise<void>;
  describe(at: { readonly nowMs: number }): Promise<{ readonly active: number; readonly waiting: number }>;
}
