import type { KVNamespace } from "@cloudflare/workers-types";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { Authenticator } from "../../../src/lib/auth/authenticator.ts";
import type { KeyScope } from "../../../src/lib/contract/principal.ts";
import { findKey } from "../../../src/lib/flows/keys/find-key.ts";
import { createKey, createTenant } from "../../../src/lib/flows/keys/manage-keys.ts";
import { createApp, ROUTES } from "../../isolation/support/worker-surface.ts";
import { expectOk } from "../../support/database.ts";
import type { World } from "./world.ts";

/** The Worker's routes over a world, on a port of this machine. */
export interface OperatorService {
  readonly url: string;
  newKey(scopes: readonly KeyScope[]): Promise<string>;
  close(): Promise<void>;
}

export async function openOperatorService(world: World): Promise<OperatorService> {
  const base = world.context();
  const fillRandom = (bytes: Uint8Array<ArrayBuffer>): void => void crypto.getRandomValues(bytes);
  const clock = (): number => world.nowMs;
  const { sql } = world.database;
  const context = {
    ...base,
    sql,
    databases: new Map([["home", sql]]),
    log: { info: () => {}, warn: () => {}, error: () => {} },
    metrics: { count: () => {}, observe: () => {}, flushSoon: () => {} },
    authenticator: new Authenticator({
      findKey: (keyHash) => findKey([sql], keyHash),
      // The two methods that it uses.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      copies: { get: async () => null, put: async () => undefined } as unknown as KVNamespace,
      clock,
    }),
  };
  const app = createApp(ROUTES);
  const answer = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const { method = "GET", url = "/" } = incoming;
    const bytes = new Uint8Array(await buffer(incoming));
    const request = new Request(`http://localhost${url}`, {
      method,
      headers: Object.entries(incoming.headers).flatMap(([name, value]): [string, string][] =>
        typeof value === "string" ? [[name, value]] : [],
      ),
      ...(bytes.length === 0 ? {} : { body: bytes }),
    });
    const response = await app(request, { context, waitUntil: () => {} });
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(new Uint8Array(await response.arrayBuffer()));
  };
  const server = createServer((incoming, outgoing) => void answer(incoming, outgoing));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has a port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    async newKey(scopes) {
      expectOk(await createTenant(sql, "operations", ""));
      // A key with that scope is made by the owner of the database alone.
      const keys = { sql: world.database.ownerSql, newId: base.newUlid, fillRandom, clock };
      const wanted = { tenantId: "operations", userId: "", scopes, label: "", expiresAtMs: null };
      return expectOk(await createKey(keys, wanted)).key;
    },
    close: async () => {
      server.close();
      await once(server, "close");
    },
  };
}
