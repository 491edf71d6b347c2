/** The Worker's own routes over the population, with a store whose walls the suite chooses. */
import type { KVNamespace } from "@cloudflare/workers-types";
import { Authenticator } from "../../../src/lib/auth/authenticator.ts";
import type { KeyScope } from "../../../src/lib/contract/principal.ts";
import type { Sql } from "../../../src/lib/db/sql.ts";
import { createKey, createTenant } from "../../../src/lib/flows/keys/manage-keys.ts";
import { IngestAdmission } from "../../../src/lib/flows/ingest/admission.ts";
import { findKey } from "../../../src/lib/flows/keys/find-key.ts";
import { PiiKeyring } from "../../../src/lib/pii/keyring.ts";
import { expectOk } from "../../support/database.ts";
import type { Population } from "./population.ts";
import { SeededRandom } from "../../support/seeded-random.ts";
import { createApp, ROUTES } from "./worker-surface.ts";

/** Somebody with a key. */
export interface Caller {
  readonly tenantId: string;
  /** '' for a key of the whole tenant. */
  readonly userId: string;
  readonly keyId: string;
  readonly authorization: string;
}

export interface Service {
  /** Rows of others that the last check held back, by place. */
  readonly violations: Map<string, number>;
  readonly logLines: string[];
  newCaller(tenantId: string, userId: string, scopes: readonly KeyScope[]): Promise<Caller>;
  ask(caller: Caller | undefined, path: string, init?: RequestInit): Promise<{ status: number; text: string }>;
}

const UNBOUNDED = { requestsMax: Infinity, bytesMax: Infinity, backlogMax: undefined };

/** No key is looked up twice: the service's clock stands still. */
const copies = { get: async () => null, put: async () => undefined };

/** A service over `sql`; keys are made and looked up in the store as it is. */
export function openService({ world }: Population, sql: Sql, seed: number): Service {
  const violations = new Map<string, number>();
  const logLines: string[] = [];
  const random = new SeededRandom(seed);
  const fillRandom = (bytes: Uint8Array): void => bytes.set(Array.from(bytes, () => random.below(256)));
  const base = world.context();
  const clock = (): number => world.nowMs;
  const note = (event: string, fields: object): void => void logLines.push(JSON.stringify({ event, ...fields }));
  const keys = { sql: world.database.sql, newId: base.newUlid, fillRandom, clock };
  const authenticator = new Authenticator({
    findKey: (keyHash) => findKey([world.database.sql], keyHash),
    // The two methods that it uses.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    copies: copies as unknown as KVNamespace,
    clock,
  });
  const context = wholeContext({
    ...base,
    sql,
    clock,
    fillRandom,
    newId: base.newUlid,
    random: () => random.next(),
    sleep: async () => {},
    log: { info: () => {}, warn: note, error: note },
    metrics: metricsInto(violations),
    keyCopies: copies,
    // Thousands of probes are under way at once, and what a refusal would say is nothing of anybody.
    ingestAdmission: new IngestAdmission({ limits: UNBOUNDED, clock, readBacklog: async () => 0 }),
    analyzer: undefined,
    piiKeys: new PiiKeyring(new Map()),
    authenticator,
    isMetricsToken: async () => false,
  });
  const app = createApp(ROUTES);
  return {
    violations,
    logLines,
    async newCaller(tenantId, userId, scopes) {
      expectOk(await createTenant(world.database.sql, tenantId, ""));
      const made = await createKey(keys, { tenantId, userId, scopes, label: "", expiresAtMs: null });
      const { key, summary } = expectOk(made);
      return { tenantId, userId, keyId: summary.key_id, authorization: `Bearer ${key}` };
    },
    async ask(caller, path, init = {}) {
      const headers = new Headers(init.headers);
      if (caller !== undefined) headers.set("authorization", caller.authorization);
      const request = new Request(`https://jeeves.test${path}`, { ...init, headers });
      const response = await app(request, { context, waitUntil: () => {} });
      const sent = [...response.headers].filter(([name]) => name !== "x-request-id" && name !== "traceparent");
      return { status: response.status, text: `${JSON.stringify(sent)}\n${await response.text()}` };
    },
  };
}

/** Metrics that keep nothing but violations. */
function metricsInto(violations: Map<string, number>): object {
  return {
    count(name: string, labels: Readonly<Record<string, string | number>>, by = 1): void {
      const place = String(labels["place"]);
      if (name === "isolation_violations_total") violations.set(place, (violations.get(place) ?? 0) + by);
    },
    observe: () => {},
    flushSoon: () => {},
    flushNow: async () => {},
    totals: async () => new Map(),
  };
}

/** The context with what these routes use; what is missing says so when it is asked for. */
function wholeContext(known: object): object {
  return new Proxy(known, {
    get(target, name) {
      if (!(name in target)) throw new Error(`the suite's context has no ${String(name)}`);
      const value: unknown = Reflect.get(target, name);
      return value;
    },
  });
}
