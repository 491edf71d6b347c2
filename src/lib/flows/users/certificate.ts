/** The certificate of an erasure: `erasures/<tenant>/<sha256 of the user's id>-<time>.json`. No id stands in it. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { utf8Bytes } from "../../base/bytes.ts";
import { sha256HexSync } from "../../base/hash.ts";
import { ulidTimeMs } from "../../base/ids.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import {
  ERASURE_PLACES,
  type ErasureCertificate,
  erasureCertificateSchema,
  type Kept,
} from "../../contract/user-erasure.ts";
import type { UserName } from "../../db/queries/user-erasures.ts";
import { createObject, CREATE_OPTIONS } from "../../bucket/create-object.ts";
import { storageUnavailable } from "../problem-of.ts";
import type { Erasure } from "./erasure.ts";

function certificatePrefix({ tenantId, userId }: UserName): string {
  return `erasures/${tenantId}/${sha256HexSync(userId)}-`;
}

function certificateKey(erasure: Pick<Erasure, "tenantId" | "userId" | "erasureId">): string {
  const time = new Date(ulidTimeMs(erasure.erasureId)).toISOString().replaceAll(/[-:.]/g, "");
  return `${certificatePrefix(erasure)}${time}.json`;
}

/** Says that everything is zero now, and what was there before. Pure. */
export function certificateOf(erasure: Erasure, kept: readonly Kept[], nowMs: number): ErasureCertificate {
  const { tenantId, userId, erasureId, before, progress } = erasure;
  const content = {
    version: 1 as const,
    tenant_id: tenantId,
    user_sha256: sha256HexSync(userId),
    erasure_id: erasureId,
    requested_by: progress.requested_by,
    requested_at: new Date(ulidTimeMs(erasureId)).toISOString(),
    finished_at: new Date(nowMs).toISOString(),
    erased_before: before,
    // Every place is named.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    places: Object.fromEntries(
      ERASURE_PLACES.map((place) => [place, { before: progress.found[place] ?? 0, after: 0 as const }]),
    ) as ErasureCertificate["places"],
    kept: kept.filter(({ count }) => count > 0),
  };
  return { ...content, sha256: sha256HexSync(JSON.stringify(content)) };
}

/** Writes the certificate once. Where another request has finished the same erasure before, its certificate holds. */
export async function storeCertificate(
  bucket: R2Bucket,
  erasure: Erasure,
  certificate: ErasureCertificate,
): Promise<Result<ErasureCertificate, Problem>> {
  const key = certificateKey(erasure);
  const created = await createObject(
    bucket,
    {
      key,
      bytes: utf8Bytes(JSON.stringify(certificate)),
      contentHash: certificate.sha256,
      metadata: {},
      mediaType: "application/json",
    },
    CREATE_OPTIONS,
  );
  if (created.ok) return ok(certificate);
  if (created.error.code !== "object_differs") return err(storageUnavailable());
  return readCertificate(bucket, key);
}

/** Certificates of one listing: more erasures of one user have nothing to tell. */
const CERTIFICATES_MAX = 100;

/** The certificates of a user, oldest first. */
export async function listCertificates(
  bucket: R2Bucket,
  user: UserName,
): Promise<Result<readonly ErasureCertificate[], Problem>> {
  try {
    const certificates: ErasureCertificate[] = [];
    const page = await bucket.list({ prefix: certificatePrefix(user), limit: CERTIFICATES_MAX });
    for (const { key } of page.objects) {
      const certificate = await readCertificate(bucket, key);
      if (!certificate.ok) return certificate;
      certificates.push(certificate.value);
    }
    return ok(certificates);
  } catch {
    return err(storageUnavailable());
  }
}

/** The certificate of one erasure, undefined where it is not finished. */
export async function findCertificate(
  bucket: R2Bucket,
  erasure: Pick<Erasure, "tenantId" | "userId" | "erasureId">,
): Promise<Result<ErasureCertificate | undefined, Problem>> {
  try {
    const key = certificateKey(erasure);
    return (await bucket.head(key)) === null ? ok(undefined) : await readCertificate(bucket, key);
  } catch {
    return err(storageUnavailable());
  }
}

async function readCertificate(bucket: R2Bucket, key: string): Promise<Result<ErasureCertificate, Problem>> {
  try {
    const object = await bucket.get(key);
    const parsed = erasureCertificateSchema.safeParse(await object?.json().catch(() => undefined));
    return parsed.success ? ok(parsed.data) : err({ code: "internal" });
  } catch {
    return err(storageUnavailable());
  }
}
