import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { rename, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import type { ApiClient } from "../api-client.ts";
import { CommandError } from "../command-error.ts";

export const artifactSchema = z.looseObject({
  artifact_id: z.string(),
  kind: z.string(),
  size_bytes: z.int(),
  sha256: z.string(),
  content_url: z.string(),
  created_at: z.string(),
});
export type Artifact = z.infer<typeof artifactSchema>;

/**
 * Downloads an artifact to `path` and checks its hash. What was received of it before, in `<path>.part`, is not asked for again. The file has its
 * name once its content is right.
 */
export async function downloadArtifact(api: ApiClient, artifact: Artifact, path: string): Promise<void> {
  const partial = `${path}.part`;
  const received = await sizeOf(partial);
  if (received < artifact.size_bytes) {
    const response = await api.response({
      path: artifact.content_url,
      headers: received === 0 ? {} : { range: `bytes=${received}-`, "if-range": `"${artifact.sha256}"` },
    });
    if (response.body === null) throw new CommandError(`${artifact.artifact_id}: the reply has no content`);
    const isContinued = response.status === 206;
    await pipeline(response.body, createWriteStream(partial, { flags: isContinued ? "a" : "w" }));
  }
  if ((await sha256Of(partial)) !== artifact.sha256)
    throw new CommandError(`${partial} is not ${artifact.artifact_id}: remove it and try again`);
  await rename(partial, path);
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found?.size ?? 0;
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
