import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keysContext } from "../../../src/cli/keys-context.ts";
import { PROJECT_FOLDER } from "../../../src/cli/project-folder.ts";
import { createKey, createTenant } from "../../../src/lib/flows/keys/manage-keys.ts";
import { decodeWal } from "../../../src/lib/wal/wal-codec.ts";
import { WAL_LIMITS } from "../../../src/lib/wal/wal-limits.ts";
import { bundleWorker } from "../../../src/stack/bundle-worker.ts";
import { startWorkerRuntime } from "../../../src/stack/worker-runtime.ts";
import { expectOk, openTestDatabase } from "../../support/database.ts";

/** The production Worker in workerd with R2 and PGlite. There is no embedder: what the bridge promises ends with the 202. */
export interface IngestService {
  readonly url: string;
  newKey(tenantId: string): Promise<string>;
  /** What R2 holds of a tenant: how many times each document was accepted, by id. */
  acceptedCounts(tenantId: string): Promise<ReadonlyMap<string, number>>;
  /** The texts that a document was accepted with, oldest first. */
  textsOf(tenantId: string, documentId: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

export async function startIngestService(): Promise<IngestService> {
  const folder = await mkdtemp(join(tmpdir(), "jeeves-bridge-"));
  const [database] = await Promise.all([openTestDatabase({ backend: "pglite" }), bundleWorker(PROJECT_FOLDER, folder)]);
  const runtime = await startWorkerRuntime({
    projectFolder: PROJECT_FOLDER,
    buildFolder: folder,
    stateFolder: undefined,
    port: 0,
    bindings: {
      DATABASE_URL: database.connectionString,
      SQL_FETCH_ENDPOINT: database.endpointUrl,
      EMBED_ENDPOINT: "http://127.0.0.1:9",
    },
    log: () => undefined,
  });
  const acceptedDocuments = async (tenantId: string): Promise<{ id: string; text: string }[]> => {
    const bucket = await runtime.miniflare.getR2Bucket("BUCKET");
    const documents: { id: string; text: string }[] = [];
    let cursor: string | undefined;
    do {
      const page = await bucket.list({ prefix: `wal/${tenantId}/`, ...(cursor === undefined ? {} : { cursor }) });
      for (const { key } of page.objects) {
        const object = await bucket.get(key);
        if (object === null) throw new Error("an object that was listed is there");
        const record = expectOk(decodeWal(new Uint8Array(await object.arrayBuffer()), WAL_LIMITS));
        documents.push(...record.documents.map(({ document_id: id, text }) => ({ id, text: text ?? "" })));
      }
      cursor = page.truncated ? page.cursor : undefined;
    } while (cursor !== undefined);
    return documents;
  };
  return {
    url: runtime.url,
    newKey: async (tenantId) => {
      expectOk(await createTenant(database.ownerSql, tenantId, tenantId));
      const owner = { tenantId, userId: "", scopes: ["ingest"] as const, label: "bridge", expiresAtMs: null };
      return expectOk(await createKey(keysContext(database.ownerSql), owner)).key;
    },
    acceptedCounts: async (tenantId) => {
      const counts = new Map<string, number>();
      for (const { id } of await acceptedDocuments(tenantId)) counts.set(id, (counts.get(id) ?? 0) + 1);
      return counts;
    },
    textsOf: async (tenantId, documentId) =>
      (await acceptedDocuments(tenantId)).flatMap(({ id, text }) => (id === documentId ? [text] : [])),
    close: async () => {
      await runtime.stop();
      await database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
