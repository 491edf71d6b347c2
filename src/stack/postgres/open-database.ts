/** Turns `DATABASE_URL` into something that the Neon driver can talk to, whatever is behind it. */
import { err, ok } from "../../lib/base/result.ts";
import type { Result } from "../../lib/base/result.ts";
import { createPgliteBackend } from "../sql-endpoint/pglite-backend.ts";
import { createPostgresBackend } from "../sql-endpoint/postgres-backend.ts";
import { startSqlEndpoint } from "../sql-endpoint/sql-endpoint.ts";
import { startPgliteServer } from "./pglite-server.ts";

export interface OpenDatabase {
  readonly kind: "pglite" | "postgres" | "neon";
  /** Of the user in the URL; for PGlite, of its superuser. */
  readonly connectionString: string;
  /** The local `/sql` endpoint; undefined for Neon, which has its own. */
  readonly fetchEndpoint: string | undefined;
  close(): Promise<void>;
}

const POSTGRES_PORT = 5432;

/**
 * `pglite:<folder>` boots PGlite on that folder, a `postgresql://` URL of Neon is used as it is, any other gets the local
 * endpoint in front. Does not connect yet, except for PGlite. An error is one sentence without the password.
 */
export async function openDatabase(
  databaseUrl: string,
  options: { readonly port?: number } = {},
): Promise<Result<OpenDatabase, string>> {
  if (databaseUrl.startsWith("pglite:")) return openPglite(databaseUrl.slice("pglite:".length), options);
  if (!/^postgres(ql)?:\/\//.test(databaseUrl)) {
    return err("DATABASE_URL has to begin with pglite:, postgres:// or postgresql://");
  }
  const url = URL.canParse(databaseUrl) ? new URL(databaseUrl) : undefined;
  if (url === undefined || url.hostname === "") return err("DATABASE_URL is not a URL with a host");
  if (/\.neon\.(tech|build)$/.test(url.hostname)) {
    return ok({ kind: "neon", connectionString: databaseUrl, fetchEndpoint: undefined, close: async () => undefined });
  }
  const sslMode = url.searchParams.get("sslmode") ?? "disable";
  const backend = createPostgresBackend({
    host: url.hostname,
    port: url.port === "" ? POSTGRES_PORT : Number(url.port),
    tls: !["disable", "allow", "prefer"].includes(sslMode),
  });
  const endpoint = await startSqlEndpoint({ backend, ...options });
  return ok({
    kind: "postgres",
    connectionString: databaseUrl,
    fetchEndpoint: endpoint.url,
    async close() {
      await endpoint.close();
      await backend.close();
    },
  });
}

async function openPglite(folder: string, options: { readonly port?: number }): Promise<Result<OpenDatabase, string>> {
  const server = await startPgliteServer(folder === "memory" ? {} : { dataFolder: folder });
  if (!server.ok) return server;
  const backend = createPgliteBackend(server.value.database);
  const endpoint = await startSqlEndpoint({ backend, ...options });
  return ok({
    kind: "pglite",
    connectionString: server.value.connectionString("postgres"),
    fetchEndpoint: endpoint.url,
    async close() {
      await endpoint.close();
      await backend.close();
      await server.value.close();
    },
  });
}
