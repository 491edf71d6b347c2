import { DurableObject } from "cloudflare:workers";
import {
  Admissions,
  type Admission,
  type AdmissionLimits,
  type AdmissionRequest,
  type Place,
  type Renewal,
} from "../../lib/session/admission.ts";
import type { SessionGateApi } from "../../lib/session/session-gate-api.ts";
import { readEnv, type Env, type SessionsConfig } from "../env.ts";

/** How long a ticket holds without being asked about: twice the longest wait that a client is told, and more. */
const TICKET_MS = 90_000;

type PlaceRow = { session_key: string; tenant_id: string; ticket_number: number | null; expires_at_ms: number };

/**
 * Admits sessions for all tenants. The rules are `Admissions`; here they get a table, so that an eviction forgets nothing. Expiry needs no alarm:
 * whoever asks brings the time.
 */
export class SessionGate extends DurableObject<Env> implements SessionGateApi {
  readonly #sql: SqlStorage;
  readonly #limits: AdmissionLimits;
  #admissions: Admissions | undefined;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#sql = state.storage.sql;
    this.#limits = admissionLimits(readEnv(env).config.sessions);
    this.#sql.exec(
      `create table if not exists places (session_key text primary key, tenant_id text not null, ticket_number integer,
         expires_at_ms integer not null) without rowid`,
    );
  }

  async admit(request: AdmissionRequest & { readonly nowMs: number }): Promise<Admission> {
    return this.#change((admissions) => admissions.admit(request, request.nowMs));
  }

  async renew(lease: { readonly sessionKey: string; readonly nowMs: number }): Promise<Renewal> {
    return this.#change((admissions) => admissions.renew(lease.sessionKey, lease.nowMs));
  }

  async release({ sessionKey }: { readonly sessionKey: string }): Promise<void> {
    this.#change((admissions) => admissions.release(sessionKey));
  }

  async describe({ nowMs }: { readonly nowMs: number }): Promise<{ active: number; waiting: number }> {
    return this.#change((admissions) => admissions.counts(nowMs));
  }

  /** One change in memory and in the table, without an await between them: both happen, or the next call starts from the table. */
  #change<T>(change: (admissions: Admissions) => T): T {
    const admissions = this.#admissions ?? new Admissions(this.#limits, this.#stored());
    this.#admissions = undefined;
    const result = change(admissions);
    for (const { sessionKey, place } of admissions.takeChanges()) {
      if (place === null) this.#sql.exec("delete from places where session_key = ?", sessionKey);
      else
        this.#sql.exec(
          "insert or replace into places values (?, ?, ?, ?)",
          sessionKey,
          place.tenantId,
          place.ticketNumber,
          place.expiresAtMs,
        );
    }
    this.#admissions = admissions;
    return result;
  }

  #stored(): Place[] {
    return this.#sql
      .exec<PlaceRow>("select session_key, tenant_id, ticket_number, expires_at_ms from places")
      .toArray()
      .map((row) => ({
        sessionKey: row.session_key,
        tenantId: row.tenant_id,
        ticketNumber: row.ticket_number,
        expiresAtMs: row.expires_at_ms,
      }));
  }
}

/** As many may wait as may be open, and a tenant has the same share of both. */
function admissionLimits({ activeMax, tenantShare, leaseMs }: SessionsConfig): AdmissionLimits {
  const tenantMax = Math.max(1, Math.floor(activeMax * tenantShare));
  return {
    activeMax,
    tenantActiveMax: tenantMax,
    ticketsMax: activeMax,
    tenantTicketsMax: tenantMax,
    leaseMs,
    ticketMs: TICKET_MS,
  };
}
