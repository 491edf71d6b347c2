/** The rules of admission over two plain lists, as slow as they are obvious: what the real one has to agree with. */
import type { AdmissionLimits, AdmissionRequest, Place } from "../../../../src/lib/session/admission.ts";

export class PlainAdmission {
  leases: Place[] = [];
  tickets: Place[] = [];
  #nextNumber = 1;
  readonly #limits: AdmissionLimits;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  admit({ sessionKey, tenantId, wait }: AdmissionRequest, nowMs: number): string {
    this.expire(nowMs);
    const held = this.tickets.find((ticket) => ticket.sessionKey === sessionKey);
    const isHolder = this.leases.some((lease) => lease.sessionKey === sessionKey);
    if (isHolder || this.#served().includes(sessionKey) || (held === undefined && this.#hasSpareRoom(tenantId))) {
      this.release(sessionKey);
      this.leases.push({ sessionKey, tenantId, ticketNumber: null, expiresAtMs: nowMs + this.#limits.leaseMs });
      return "admitted";
    }
    const isFull =
      this.tickets.length >= this.#limits.ticketsMax ||
      this.tickets.filter((ticket) => ticket.tenantId === tenantId).length >= this.#limits.tenantTicketsMax;
    if (!wait || (held === undefined && isFull)) {
      this.release(sessionKey);
      return "refused";
    }
    const ticketNumber = held?.ticketNumber ?? this.#nextNumber++;
    const ticket = { sessionKey, tenantId, ticketNumber, expiresAtMs: nowMs + this.#limits.ticketMs };
    this.tickets = held === undefined ? [...this.tickets, ticket] : this.tickets.map((t) => (t === held ? ticket : t));
    return `waiting ${this.tickets.indexOf(ticket) + 1}`;
  }

  renew(sessionKey: string, nowMs: number): boolean {
    this.expire(nowMs);
    const isHolder = this.leases.some((lease) => lease.sessionKey === sessionKey);
    const expiresAtMs = nowMs + this.#limits.leaseMs;
    this.leases = this.leases.map((lease) => (lease.sessionKey === sessionKey ? { ...lease, expiresAtMs } : lease));
    return isHolder;
  }

  release(sessionKey: string): void {
    this.leases = this.leases.filter((lease) => lease.sessionKey !== sessionKey);
    this.tickets = this.tickets.filter((ticket) => ticket.sessionKey !== sessionKey);
  }

  expire(nowMs: number): void {
    this.leases = this.leases.filter((lease) => lease.expiresAtMs > nowMs);
    this.tickets = this.tickets.filter((ticket) => ticket.expiresAtMs > nowMs);
  }

  /** Who of the line would have a lease if all of it asked now, in order. */
  #served(): string[] {
    const tenants = this.leases.map((lease) => lease.tenantId);
    const served: string[] = [];
    for (const { sessionKey, tenantId } of this.tickets) {
      if (!this.#hasRoom(tenants, tenantId)) continue;
      tenants.push(tenantId);
      served.push(sessionKey);
    }
    return served;
  }

  #hasSpareRoom(tenantId: string): boolean {
    const served = this.#served();
    const waiting = this.tickets.filter((ticket) => served.includes(ticket.sessionKey));
    return this.#hasRoom(
      [...this.leases, ...waiting].map((place) => place.tenantId),
      tenantId,
    );
  }

  #hasRoom(tenants: readonly string[], tenantId: string): boolean {
    const ofTenant = tenants.filter((each) => each === tenantId).length;
    return tenants.length < this.#limits.activeMax && ofTenant < this.#limits.tenantActiveMax;
  }
}
