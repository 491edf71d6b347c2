/** Who may hold an open session: leases up to a total and a share for each tenant, and a line of tickets behind them. Pure; time is an argument. */

export interface AdmissionLimits {
  /** Leases at once, MAX_ACTIVE_SESSIONS. */
  readonly activeMax: number;
  /** Leases of one tenant at once: one tenant never holds them all while others wait. */
  readonly tenantActiveMax: number;
  /** Tickets at once: the line is bounded like everything. */
  readonly ticketsMax: number;
  /** How long a lease holds without being renewed, milliseconds. */
  readonly leaseMs: number;
  /** How long a ticket holds without being asked about, milliseconds: a client that left gives its place up. */
  readonly ticketMs: number;
}

export interface Lease {
  readonly sessionKey: string;
  readonly tenantId: string;
  readonly expiresAtMs: number;
}

/** A place in the line. `number` grows with each ticket and orders them. */
export interface Ticket {
  readonly sessionKey: string;
  readonly tenantId: string;
  readonly number: number;
  readonly expiresAtMs: number;
}

export interface AdmissionState {
  readonly leases: readonly Lease[];
  /** In order of their numbers. */
  readonly tickets: readonly Ticket[];
  /** Number of the next ticket. */
  readonly nextNumber: number;
}

export interface AdmissionRequest {
  readonly sessionKey: string;
  readonly tenantId: string;
  /** Whether to wait in line where there is no room; otherwise the session is refused. */
  readonly wait: boolean;
}

export type Admission =
  | { readonly outcome: "admitted"; readonly expiresAtMs: number }
  /** `position` counts from 1 over the whole line. */
  | { readonly outcome: "waiting"; readonly number: number; readonly position: number; readonly retryAfterMs: number }
  | { readonly outcome: "refused"; readonly retryAfterMs: number };

export const NOBODY: AdmissionState = { leases: [], tickets: [], nextNumber: 1 };

/** Shortest and longest time after which a client is told to ask again, milliseconds. */
const RETRY_AFTER_MS = { shortest: 1_000, longest: 60_000 } as const;

/** The state without what has expired. */
export function expire(state: AdmissionState, nowMs: number): AdmissionState {
  return {
    leases: state.leases.filter((lease) => lease.expiresAtMs > nowMs),
    tickets: state.tickets.filter((ticket) => ticket.expiresAtMs > nowMs),
    nextNumber: state.nextNumber,
  };
}

function hasTenantRoom(state: AdmissionState, tenantId: string, limits: AdmissionLimits): boolean {
  return state.leases.filter((lease) => lease.tenantId === tenantId).length < limits.tenantActiveMax;
}

/** Tickets that a free lease could go to: those whose tenant has room. The others do not hold up the line. */
function eligible(state: AdmissionState, limits: AdmissionLimits): readonly Ticket[] {
  return state.tickets.filter((ticket) => hasTenantRoom(state, ticket.tenantId, limits));
}

/** Whether the request may have a lease now: there is room, and nobody who could use it stands before it. */
function isFirst(state: AdmissionState, request: AdmissionRequest, limits: AdmissionLimits): boolean {
  const free = limits.activeMax - state.leases.length;
  if (free <= 0 || !hasTenantRoom(state, request.tenantId, limits)) return false;
  const line = eligible(state, limits);
  const place = line.findIndex((ticket) => ticket.sessionKey === request.sessionKey);
  return (place < 0 ? line.length : place) < free;
}

/** When the next lease ends at the latest: renewed ones end later, so that it is a hint and no promise. */
function retryAfterMs(state: AdmissionState, nowMs: number): number {
  const first = state.leases.reduce((earliest, lease) => Math.min(earliest, lease.expiresAtMs), Infinity);
  return Math.min(RETRY_AFTER_MS.longest, Math.max(RETRY_AFTER_MS.shortest, first - nowMs));
}

function withoutSession<T extends { readonly sessionKey: string }>(entries: readonly T[], sessionKey: string): T[] {
  return entries.filter((entry) => entry.sessionKey !== sessionKey);
}

function admitted(
  state: AdmissionState,
  request: AdmissionRequest,
  limits: AdmissionLimits,
  nowMs: number,
): { state: AdmissionState; admission: Admission } {
  const { sessionKey, tenantId } = request;
  const lease = { sessionKey, tenantId, expiresAtMs: nowMs + limits.leaseMs };
  return {
    state: {
      leases: [...withoutSession(state.leases, sessionKey), lease],
      tickets: withoutSession(state.tickets, sessionKey),
      nextNumber: state.nextNumber,
    },
    admission: { outcome: "admitted", expiresAtMs: lease.expiresAtMs },
  };
}

function waiting(
  state: AdmissionState,
  request: AdmissionRequest,
  limits: AdmissionLimits,
  nowMs: number,
): { state: AdmissionState; admission: Admission } {
  const { sessionKey, tenantId } = request;
  const held = state.tickets.find((ticket) => ticket.sessionKey === sessionKey);
  const number = held?.number ?? state.nextNumber;
  const ticket: Ticket = { sessionKey, tenantId, number, expiresAtMs: nowMs + limits.ticketMs };
  const tickets =
    held === undefined
      ? [...state.tickets, ticket]
      : state.tickets.map((other) => (other.sessionKey === sessionKey ? ticket : other));
  const position = tickets.findIndex((other) => other.sessionKey === sessionKey) + 1;
  return {
    state: { leases: state.leases, tickets, nextNumber: Math.max(state.nextNumber, number + 1) },
    admission: { outcome: "waiting", number, position, retryAfterMs: retryAfterMs(state, nowMs) },
  };
}

/**
 * Asks for a lease, or asks again. A session that holds one has it renewed; one that waits keeps its place; a new one is admitted only when the leases
 * that are free go beyond those who wait before it. Asking twice is asking once.
 */
export function admit(
  before: AdmissionState,
  request: AdmissionRequest,
  limits: AdmissionLimits,
  nowMs: number,
): { state: AdmissionState; admission: Admission } {
  const state = expire(before, nowMs);
  const holds = state.leases.some((lease) => lease.sessionKey === request.sessionKey);
  if (holds || isFirst(state, request, limits)) return admitted(state, request, limits, nowMs);
  const waits = state.tickets.some((ticket) => ticket.sessionKey === request.sessionKey);
  if (request.wait && (waits || state.tickets.length < limits.ticketsMax))
    return waiting(state, request, limits, nowMs);
  return {
    state: { ...state, tickets: withoutSession(state.tickets, request.sessionKey) },
    admission: { outcome: "refused", retryAfterMs: retryAfterMs(state, nowMs) },
  };
}

/** Gives a lease or a place in the line back. */
export function release(state: AdmissionState, sessionKey: string): AdmissionState {
  return {
    leases: withoutSession(state.leases, sessionKey),
    tickets: withoutSession(state.tickets, sessionKey),
    nextNumber: state.nextNumber,
  };
}
