/** A bucket, a real S3 endpoint as its second remote, and jobs of sync between them. */
import { createHash } from "node:crypto";
import type { R2Bucket } from "@cloudflare/workers-types";
import { expect } from "vitest";
import { z } from "zod";
import type { Job } from "../../../src/lib/flows/jobs/job.ts";
import type { RemoteStore, SyncContext } from "../../../src/lib/flows/sync/sync-context.ts";
import { S3Client } from "../../../src/lib/s3/s3-client.ts";
import type { S3Access, S3Ports } from "../../../src/lib/s3/s3-request.ts";
import { expectOk, statement } from "../../support/database.ts";
import { openS3Server, type S3Server } from "../../support/s3-server.ts";
import { CrashPoint } from "./crashing.ts";
import { runTicked } from "./run-ticked.ts";
import { openWorld, type World, type WorldContext } from "./world.ts";

export const MIB = 1024 * 1024;

const reportSchema = z.record(z.string(), z.unknown());
type Report = z.infer<typeof reportSchema>;
export type SyncWorldContext = WorldContext & SyncContext;

/** Bytes that no compression and no luck makes equal to others. */
export function noise(sizeBytes: number, seed: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeBytes);
  const block = createHash("sha512").update(seed).digest();
  for (let offset = 0; offset < sizeBytes; offset += block.length)
    bytes.set(block.subarray(0, Math.min(block.length, sizeBytes - offset)), offset);
  return bytes;
}

/** Everything of a bucket by key: bytes by their hash, and what lies beside them. */
export async function contentOf(bucket: R2Bucket, without: readonly string[] = []): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const { objects } = await bucket.list();
  for (const { key } of objects.filter((object) => !without.some((prefix) => object.key.startsWith(prefix)))) {
    const object = await bucket.get(key);
    const bytes = new Uint8Array((await object?.arrayBuffer()) ?? new ArrayBuffer(0));
    found[key] = createHash("sha256").update(bytes).digest("hex");
  }
  return found;
}

export async function metadataOf(bucket: R2Bucket): Promise<Record<string, unknown>> {
  const { objects } = await bucket.list({ include: ["customMetadata", "httpMetadata"] });
  return Object.fromEntries(objects.map((each) => [each.key, [each.customMetadata, each.httpMetadata]]));
}

export async function emptyBucket(bucket: R2Bucket): Promise<void> {
  const { objects } = await bucket.list();
  if (objects.length > 0) await bucket.delete(objects.map(({ key }) => key));
}

/** What sync leaves out. */
export const LEFT_OUT = ["job_reports/", "idempotency/", "snapshots/"];

interface RunOptions {
  readonly remote?: RemoteStore;
  readonly isDryRun?: boolean;
  readonly timeMsMax?: number;
  readonly crash?: CrashPoint;
}

export interface SyncWorld {
  readonly world: World;
  readonly server: S3Server;
  /** Both buckets empty, no lease and no cursor. */
  reset(): Promise<void>;
  remoteOf(access?: Partial<S3Access>, ports?: Partial<S3Ports>): S3Client;
  run(
    job: Job<SyncContext, unknown>,
    options?: RunOptions,
  ): Promise<{ readonly state: string; readonly report: Report }>;
  /** Objects as flows write them: metadata, none, empty, odd keys. Four of them, and the wal objects. */
  populate(walCount?: number): Promise<void>;
  /** The remote has exactly what it should. */
  expectSame(): Promise<void>;
  close(): Promise<void>;
}

export async function openSyncWorld(): Promise<SyncWorld> {
  const [world, server] = await Promise.all([openWorld(), openS3Server()]);
  const remoteOf: SyncWorld["remoteOf"] = (access = {}, ports = {}) =>
    new S3Client(
      { ...server.access, ...access },
      {
        fetch: (url, init) => fetch(url, init),
        clock: Date.now,
        random: () => 0,
        sleep: async () => undefined,
        ...ports,
      },
    );
  return {
    world,
    server,
    remoteOf,
    reset: async () => {
      await Promise.all([emptyBucket(world.bucket), emptyBucket(server.bucket)]);
      expectOk(await world.database.ownerSql.query(statement("delete from job_leases")));
    },
    run: async (job, { remote = remoteOf(), crash = new CrashPoint(undefined), ...request } = {}) => {
      const context: SyncWorldContext = { ...world.context(crash), remote: crash.wrap(remote) };
      const ran = expectOk(await runTicked<SyncWorldContext>(context, job, request));
      return { state: ran.state, report: reportSchema.parse(ran.report) };
    },
    populate: async (walCount = 5) => {
      for (let index = 0; index < walCount; index += 1)
        await world.bucket.put(`wal/t/2026-11-25/${index}.mpz`, noise(2_000 + index, `wal ${index}`), {
          customMetadata: { hash: `h${index}`, batch_tag: "früh am Morgen ☕", users: "ab,cd" },
          httpMetadata: { contentType: "application/octet-stream" },
        });
      await world.bucket.put("batches/t/tag/01", "", { customMetadata: { batch_tag: "tag" } });
      await world.bucket.put("segments/t/ann%40x.org/talk%20(1)/000000000001-x.seg", noise(900, "segment"));
      await world.bucket.put("packs/t/日本/🙂.mpz", noise(10, "odd"));
      await world.bucket.put("packs/t/\uffee.mpz", noise(11, "behind the surrogates for JavaScript"));
      for (const prefix of LEFT_OUT) await world.bucket.put(`${prefix}t/x`, "left out");
    },
    expectSame: async () => {
      expect(await contentOf(server.bucket)).toEqual(await contentOf(world.bucket, LEFT_OUT));
    },
    close: async () => {
      await Promise.all([world.close(), server.close()]);
    },
  };
}
