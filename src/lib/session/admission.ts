/**
 * Who may hold an open session: leases up to a total and a share for each tenant, and a line of tickets behind them. Pure: time is an argument, and
 * what has to be stored is handed out as changes. A call costs what it changes, and a walk along the line where somebody waits; not what is held.
 */

export interface AdmissionLimits {
  /** Leases at once, MAX_ACTIVE_SESSIONS. */
  readonly activeMax: number;
  /** Leases of one tenant at once: one tenant never holds them all while others wait. */
  readonly tenantActiveMax: number;
  /** Tickets at once: the line is bounded like everything. */
  readonly ticketsMax: number;
  /** Tickets of one tenant at once: nor does it fill the line. */
  readonly tenantTicketsMax: number;
  /** How long a lease holds without being renewed, milliseconds. */
  readonly leaseMs: number;
  /** How long a ticket holds without being asked about, milliseconds: a client that left gives its place up. */
  readonly ticketMs: number;
}

/** What one session holds: a lease, or a place in the line. */
export interface Place {
  readonly sessionKey: string;
  readonly tenantId: string;
  /** Of a ticket: grows with each and orders them. Null for a lease. */
  readonly ticketNumber: number | null;
  readonly expiresAtMs: number;
}

/** What a session holds from here on; null for nothing. */
export interface PlaceChange {
  readonly sessionKey: string;
  readonly place: Place | null;
}

export interface AdmissionRequest {
  readonly sessionKey: string;
  readonly tenantId: string;
  /** Whether to wait in line where there is no room; otherwise the session is refused. */
  readonly wait: boolean;
}

export type Admission =
  /** `isNew`: it held no lease before. */
  | { readonly outcome: "admitted"; readonly expiresAtMs: number; readonly isNew: boolean }
  /** `position` counts from 1 over the whole line. */
  | { readonly outcome: "waiting"; readonly number: number; readonly position: number; readonly retryAfterMs: number }
  | { readonly outcome: "refused"; readonly retryAfterMs: number };

export type Renewal = { readonly expiresAtMs: number } | { readonly gone: true };

/** Shortest and longest time after which a refused client is told to ask again, milliseconds. */
const REFUSED_RETRY_MS = { shortest: 1_000, longest: 60_000 } as const;
/**
 * The same for one that waits. It grows with the position: a place that is free stays free until the first of the line asks, and a line of
 * thousands asks a few dozen times a second together.
 */
const WAITING_RETRY_MS = { eachPosition: 200, shortest: 1_000, longest: 30_000 } as const;

export class Admissions {
  readonly #limits: AdmissionLimits;
  /** In the order in which they were given or renewed, which is the order in which they expire. */
  readonly #leases = new Map<string, Place>();
  readonly #leasesOfTenant = new Map<string, number>();
  /** In the order of their numbers. */
  readonly #tickets = new Map<string, Place & { readonly ticketNumber: number }>();
  readonly #ticketsOfTenant = new Map<string, number>();
  /** Keys of tickets in the order in which they were asked about. */
  readonly #ticketsByExpiry = new Set<string>();
  #nextNumber = 1;
  #nowMs = 0;
  #changes: PlaceChange[] = [];

  /** `stored`: what earlier changes came to, in any order. */
  constructor(limits: AdmissionLimits, stored: readonly Place[]) {
    this.#limits = limits;
    for (const place of stored.toSorted((a, b) => (a.ticketNumber ?? 0) - (b.ticketNumber ?? 0)))
      if (place.ticketNumber !== null) this.#putTicket({ ...place, ticketNumber: place.ticketNumber });
    this.#ticketsByExpiry.clear();
    for (const place of stored.toSorted((a, b) => a.expiresAtMs - b.expiresAtMs)) {
      if (place.ticketNumber === null) this.#putLease(place);
      else this.#ticketsByExpiry.add(place.sessionKey);
    }
    this.#changes = [];
  }

  /**
   * Asks for a lease, or asks again. A session that holds one has it renewed; one that waits keeps its place; a new one is admitted only when the
   * leases that are free go beyond those who wait before it. Asking twice is asking once.
   */
  admit(request: AdmissionRequest, nowMs: number): Admission {
    this.#expire(nowMs);
    const { sessionKey, tenantId } = request;
    const isNew = !this.#leases.has(sessionKey);
    if (!isNew || this.#isNext(request)) {
      this.#removeTicket(sessionKey);
      const expiresAtMs = this.#nowMs + this.#limits.leaseMs;
      this.#putLease({ sessionKey, tenantId, ticketNumber: null, expiresAtMs });
      return { outcome: "admitted", expiresAtMs, isNew };
    }
    const held = this.#tickets.get(sessionKey);
    if (request.wait && (held !== undefined || this.#hasTicketRoom(tenantId))) {
      const ticketNumber = held?.ticketNumber ?? this.#nextNumber;
      this.#putTicket({ sessionKey, tenantId, ticketNumber, expiresAtMs: this.#nowMs + this.#limits.ticketMs });
      const position = this.#positionOf(sessionKey);
      const retryAfterMs = clamp(position * WAITING_RETRY_MS.eachPosition, WAITING_RETRY_MS);
      return { outcome: "waiting", number: ticketNumber, position, retryAfterMs };
    }
    this.#removeTicket(sessionKey);
    return { outcome: "refused", retryAfterMs: this.#untilNextExpiryMs() };
  }

  /** Keeps a lease for as long again. `gone` when it has expired or was given back: then only asking anew helps. */
  renew(sessionKey: string, nowMs: number): Renewal {
    this.#expire(nowMs);
    const lease = this.#leases.get(sessionKey);
    if (lease === undefined) return { gone: true };
    const expiresAtMs = this.#nowMs + this.#limits.leaseMs;
    this.#putLease({ ...lease, expiresAtMs });
    return { expiresAtMs };
  }

  /** Gives a lease or a place in the line back. */
  release(sessionKey: string): void {
    this.#removeLease(sessionKey);
    this.#removeTicket(sessionKey);
  }

  counts(nowMs: number): { readonly active: number; readonly waiting: number } {
    this.#expire(nowMs);
    return { active: this.#leases.size, waiting: this.#tickets.size };
  }

  /** What has changed since this was called last, in order. */
  takeChanges(): readonly PlaceChange[] {
    const changes = this.#changes;
    this.#changes = [];
    return changes;
  }

  /** Clocks of callers differ a little: the latest one counts, so that what was over stays over. */
  #expire(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
    for (const lease of this.#leases.values()) {
      if (lease.expiresAtMs > this.#nowMs) break;
      this.#removeLease(lease.sessionKey);
    }
    for (const sessionKey of this.#ticketsByExpiry) {
      if ((this.#tickets.get(sessionKey)?.expiresAtMs ?? 0) > this.#nowMs) break;
      this.#removeTicket(sessionKey);
    }
  }

  /** Whether the request may have a lease now: there is room, and nobody who could use it stands before it. */
  #isNext({ sessionKey, tenantId }: AdmissionRequest): boolean {
    let free = this.#limits.activeMax - this.#leases.size;
    if (free <= 0 || this.#tenantRoom(tenantId) <= 0) return false;
    // Room that is spoken for by those before, tenant by tenant: who waits for the share of a tenant does not hold up the line.
    const spokenFor = new Map<string, number>();
    for (const ticket of this.#tickets.values()) {
      if (ticket.sessionKey === sessionKey) break;
      const taken = spokenFor.get(ticket.tenantId) ?? 0;
      if (taken >= this.#tenantRoom(ticket.tenantId)) continue;
      spokenFor.set(ticket.tenantId, taken + 1);
      free -= 1;
      if (free === 0) return false;
    }
    return (spokenFor.get(tenantId) ?? 0) < this.#tenantRoom(tenantId);
  }

  #tenantRoom(tenantId: string): number {
    return this.#limits.tenantActiveMax - (this.#leasesOfTenant.get(tenantId) ?? 0);
  }

  #hasTicketRoom(tenantId: string): boolean {
    const { ticketsMax, tenantTicketsMax } = this.#limits;
    return this.#tickets.size < ticketsMax && (this.#ticketsOfTenant.get(tenantId) ?? 0) < tenantTicketsMax;
  }

  #positionOf(sessionKey: string): number {
    let position = 0;
    for (const key of this.#tickets.keys()) {
      position += 1;
      if (key === sessionKey) break;
    }
    return position;
  }

  /** A hint and no promise: leases are renewed, and given back early. */
  #untilNextExpiryMs(): number {
    const [first] = this.#leases.values();
    return clamp((first?.expiresAtMs ?? Infinity) - this.#nowMs, REFUSED_RETRY_MS);
  }

  #putLease(lease: Place): void {
    if (!this.#leases.delete(lease.sessionKey)) add(this.#leasesOfTenant, lease.tenantId, 1);
    this.#leases.set(lease.sessionKey, lease);
    this.#changes.push({ sessionKey: lease.sessionKey, place: lease });
  }

  #removeLease(sessionKey: string): void {
    const lease = this.#leases.get(sessionKey);
    if (lease === undefined) return;
    this.#leases.delete(sessionKey);
    add(this.#leasesOfTenant, lease.tenantId, -1);
    this.#changes.push({ sessionKey, place: null });
  }

  // A map keeps an entry that is set again where it was: that is the place in the line.
  #putTicket(ticket: Place & { readonly ticketNumber: number }): void {
    if (!this.#tickets.has(ticket.sessionKey)) add(this.#ticketsOfTenant, ticket.tenantId, 1);
    this.#tickets.set(ticket.sessionKey, ticket);
    this.#ticketsByExpiry.delete(ticket.sessionKey);
    this.#ticketsByExpiry.add(ticket.sessionKey);
    this.#nextNumber = Math.max(this.#nextNumber, ticket.ticketNumber + 1);
    this.#changes.push({ sessionKey: ticket.sessionKey, place: ticket });
  }

  #removeTicket(sessionKey: string): void {
    const ticket = this.#tickets.get(sessionKey);
    if (ticket === undefined) return;
    this.#tickets.delete(sessionKey);
    this.#ticketsByExpiry.delete(sessionKey);
    add(this.#ticketsOfTenant, ticket.tenantId, -1);
    this.#changes.push({ sessionKey, place: null });
  }
}

function add(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}

function clamp(value: number, { shortest, longest }: { readonly shortest: number; readonly longest: number }): number {
  return Math.min(longest, Math.max(shortest, value));
}
