import { beforeAll, describe, expect, it } from "vitest";
import { documentUid, versionKey } from "../../src/lib/base/document-uid.ts";
import { sha256Hex } from "../../src/lib/base/bytes.ts";
import { DAY_MS } from "../../src/lib/base/durations.ts";
import { ulidFactory } from "../../src/lib/base/ids.ts";
import { artifactListSchema } from "../../src/lib/contract/artifact.ts";
import { jobRunReportSchema } from "../../src/lib/contract/job.ts";
import type { WalDocument } from "../../src/lib/contract/wal-record.ts";
import { PackUpload } from "../../src/lib/flows/packs/pack-upload.ts";
import { storeRequest } from "../../src/lib/flows/ingest/store-request.ts";
import { walKey } from "../../src/lib/wal/wal-key.ts";
import { readPack } from "../../src/reader/read-pack.ts";
import { ask, makeKey, suiteEnv, suiteSql } from "./support/worker.ts";

const TENANT = "packed-in-workerd";
const COUNT = 150;
const WAL_ID = ulidFactory(() => Date.now() - 40 * DAY_MS, Math.random)();
const textOf = (index: number): string => `Turn ${index}: the jet flows over wing number ${index}, and nobody minds.`;

const documents = Array.from({ length: COUNT }, (_, index): WalDocument => ({
  document_index: index,
  document_id: `talk/${index}`,
  user_id: "ann",
  tier: "event",
  source: "session",
  title: "",
  metadata: { seq: index, role: "user" },
  occurred_at_ms: 1_760_000_000_000 + index,
  text: textOf(index),
  context: "user: what does the jet do?",
  verdict: "accepted",
  reasons: [],
}));

/** Applies the request as the consumer would, but for vectors: no embedder runs here. */
async function applyAll(): Promise<void> {
  const statement = (text: string, ...params: unknown[]) => ({ text, params });
  const rows = documents.map(({ document_id: documentId, document_index: index }) => ({
    uid: documentUid({ tenantId: TENANT, userId: "ann", tier: "event", documentId }),
    id: documentId,
    version: versionKey(WAL_ID, index),
  }));
  const written = await suiteSql().transaction({ tenantId: TENANT, userId: "*" }, [
    statement(
      `insert into embedding_models (fingerprint, model_name, revision, dimensions, max_input_tokens, state)
       values ('packed-model', 'm', '1', 2, 64, 'retired') on conflict do nothing`,
    ),
    statement(
      `insert into documents (tenant_id, document_uid, user_id, document_id, tier, source, metadata, content_hash, model_id, version_key, batch_tag,
         wal_key, wal_id, document_index, chunk_count, character_count, occurred_at)
       select $1, r.uid, 'ann', r.id, 'event', 'session', jsonb_build_object('seq', r.ordinality - 1, 'role', 'user'), sha256(r.id::bytea),
         (select model_id from embedding_models where fingerprint = 'packed-model'), r.version, $2, $3, $2, r.ordinality - 1, 0, 50,
         to_timestamp((1760000000000 + r.ordinality - 1)::float8 / 1000)
       from unnest($4::uuid[], $5::text[], $6::text[]) with ordinality as r (uid, id, version, ordinality)`,
      TENANT,
      WAL_ID,
      walKey(TENANT, WAL_ID),
      rows.map(({ uid }) => uid),
      rows.map(({ id }) => id),
      rows.map(({ version }) => version),
    ),
    statement(
      `insert into wal_ledger (tenant_id, wal_id, range_index, batch_tag, state, document_count)
       select $1, $2, n, $2, 'applied', 1 from generate_series(0, 9) n`,
      TENANT,
      WAL_ID,
    ),
  ]);
  if (!written.ok) throw new Error(written.error.code, { cause: written.error.cause });
}

describe("a pack whose name is known when it is whole", () => {
  it("is written beside and copied where it has more than one part, and leaves nothing there", async () => {
    const bucket = suiteEnv().BUCKET;
    for (const [sizeBytes, name] of [
      [3_000_000, "small"],
      [20_000_000, "large"],
    ] as const) {
      const upload = new PackUpload(bucket, { tenantId: "uploads", uploadId: name });
      const piece = crypto.getRandomValues(new Uint8Array(60_000));
      const whole = new Uint8Array(sizeBytes);
      for (let offset = 0; offset < sizeBytes; offset += piece.length) {
        piece[0] = offset % 251;
        const bytes = piece.slice(0, Math.min(piece.length, sizeBytes - offset));
        whole.set(bytes, offset);
        await upload.write(bytes);
      }
      await upload.finish(`packs/uploads/${name}.mpz`);
      const object = await bucket.get(`packs/uploads/${name}.mpz`);
      expect(object?.size).toBe(sizeBytes);
      expect(await sha256Hex(new Uint8Array((await object?.arrayBuffer()) ?? new ArrayBuffer(0)))).toBe(
        await sha256Hex(whole),
      );
    }
    expect((await bucket.list({ prefix: "staging/" })).objects).toEqual([]);
  });
});

describe("the pack job inside workerd", () => {
  let operator: string;
  let reader: string;

  beforeAll(async () => {
    operator = (await makeKey("operations", ["operator"])).key;
    reader = (await makeKey(TENANT, ["search"])).key;
    const head = {
      version: 1 as const,
      tenant_id: TENANT,
      wal_id: WAL_ID,
      batch_tag: WAL_ID,
      received_at_ms: 1,
      request_id: "r",
      gate_version: "g",
      origin: "session" as const,
    };
    const bucket = suiteEnv().BUCKET;
    const embedQueue = { send: async () => undefined, sendBatch: async () => undefined };
    const stored = await storeRequest(
      // Nothing has to be sent: the rows are written below.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      { bucket, clock: Date.now, embedQueue: embedQueue as never },
      { head, documents, textBytes: documents.map(() => 60), replayed: false },
    );
    if (!stored.ok) throw new Error(stored.error.code);
    await applyAll();
  });

  it("makes a pack that downloads, verifies and reads by itself, and removes the WAL object", async () => {
    const init = { method: "POST", key: operator, body: "{}", headers: { "content-type": "application/json" } };
    const ran = jobRunReportSchema.parse((await ask("/v1/admin/jobs/pack/run", init)).json);
    expect(ran).toMatchObject({
      state: "done",
      report: { packCount: 1, packedDocumentCount: COUNT, removedWalCount: 1, unreadableCount: 0, failures: {} },
    });
    expect(await suiteEnv().BUCKET.head(walKey(TENANT, WAL_ID))).toBeNull();

    const listed = await ask("/v1/artifacts?kind=pack", { key: reader });
    const [artifact] = artifactListSchema.parse(listed.json).artifacts;
    expect(artifact).toMatchObject({ user_id: "*", record_count: COUNT, dictionary_id: null, fingerprint: null });
    const object = await suiteEnv().BUCKET.get(
      `packs/${TENANT}/${artifact?.artifact_id.slice("pack-".length) ?? ""}.mpz`,
    );
    const bytes = new Uint8Array((await object?.arrayBuffer()) ?? new ArrayBuffer(0));
    expect(await sha256Hex(bytes)).toBe(artifact?.sha256);
    const served = await ask(artifact?.content_url ?? "", { key: reader, headers: { range: "bytes=0-3" } });
    expect([served.status, served.text]).toEqual([206, "JVPK"]);

    const pack = await readPack(bytes);
    const records: unknown[] = [];
    for await (const { document_id, user_id, text, context } of pack.records())
      records.push({ document_id, user_id, text, context });
    const expected = documents.map(({ document_id, user_id, text, context }) => ({
      document_id,
      user_id,
      text,
      context,
    }));
    expect(records).toHaveLength(COUNT);
    expect(records).toEqual(expect.arrayContaining(expected));
  });

  it("does not give its content to a key that may not read documents", async () => {
    const ingester = (await makeKey(TENANT, ["ingest"])).key;
    const listed = await ask("/v1/artifacts?kind=pack", { key: ingester });
    const [artifact] = artifactListSchema.parse(listed.json).artifacts;
    const refused = await ask(artifact?.content_url ?? "", { key: ingester });
    expect(refused.json).toMatchObject({ status: 403, code: "scope_missing" });
  });
});
