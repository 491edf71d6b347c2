import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { chmod, mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Semaphore } from "../../lib/base/semaphore.ts";
import type { SnapshotManifest, SnapshotObject } from "../../lib/contract/snapshot.ts";
import { type ApiClient, ApiError } from "../api-client.ts";
import { CommandError } from "../command-error.ts";
import { contentPath, objectsOf } from "./snapshot-source.ts";

export interface MountProgress {
  readonly doneCount: number;
  readonly totalCount: number;
  readonly sizeBytes: number;
}

export interface Mounted {
  readonly downloadedCount: number;
  /** Objects that an earlier run had brought. */
  readonly presentCount: number;
  /** Objects that are not there any more as the snapshot names them, with the code of the service. */
  readonly gone: readonly { readonly key: string; readonly code: string }[];
}

/** Downloads at a time: each is one request to the service. */
const DOWNLOADS_AT_ONCE = 4;
/** Files are read-only: what is changed in the folder changes nothing anywhere. */
const READ_ONLY = 0o444;
/** An etag that is the MD5 of the content: an object that was put in one piece. */
const MD5 = /^[0-9a-f]{32}$/;

/**
 * Downloads what a snapshot names into a folder, each object under its key, and the manifest as `snapshot.json`. What is there with the right content is
 * not asked for again. A file has its name once its content is right.
 */
export async function mountSnapshot(
  api: ApiClient,
  manifest: SnapshotManifest,
  options: {
    readonly folder: string;
    readonly only: string;
    readonly onProgress: (progress: MountProgress) => void;
  },
): Promise<Mounted> {
  const { folder, only, onProgress } = options;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "snapshot.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  const downloads = new Semaphore(DOWNLOADS_AT_ONCE);
  let [downloadedCount, presentCount, seenCount, sizeBytes] = [0, 0, 0, 0];
  const gone: { readonly key: string; readonly code: string }[] = [];
  for await (const objects of objectsOf(api, manifest)) {
    const bring = async (object: SnapshotObject): Promise<void> => {
      const state = await bringObject(api, manifest, { object, path: pathOf(folder, object.key) });
      if (state === "downloaded") downloadedCount += 1;
      else if (state === "present") presentCount += 1;
      else gone.push({ key: object.key, code: state.code });
      seenCount += 1;
      sizeBytes += object.size_bytes;
      onProgress({ doneCount: seenCount, totalCount: manifest.object_count, sizeBytes });
    };
    const wanted = objects.filter(({ key }) => key.startsWith(only));
    seenCount += objects.length - wanted.length;
    await Promise.all(wanted.map((object) => downloads.run(() => bring(object))));
  }
  return { downloadedCount, presentCount, gone };
}

/** Where an object lies in the folder. No key leads out of it. */
function pathOf(folder: string, key: string): string {
  const steps = key.split("/");
  if (steps.some((step) => step === "" || step === "." || step === ".." || /[\0\\]/.test(step)))
    throw new CommandError(`"${key}" cannot be the name of a file`);
  return join(folder, ...steps);
}

async function bringObject(
  api: ApiClient,
  manifest: SnapshotManifest,
  { object, path }: { readonly object: SnapshotObject; readonly path: string },
): Promise<"downloaded" | "present" | { readonly code: string }> {
  if (await isThere(path, object)) return "present";
  const partial = `${path}.part`;
  await mkdir(dirname(path), { recursive: true });
  try {
    const response = await api.response({ path: contentPath(manifest, object.key) });
    if (response.body === null) await writeFile(partial, "");
    else await pipeline(response.body, createWriteStream(partial));
  } catch (error) {
    if (error instanceof ApiError && (error.code === "not_found" || error.code === "conflict"))
      return { code: error.code === "not_found" ? "gone" : "changed" };
    throw error;
  }
  if (!(await isThere(partial, object))) throw new CommandError(`${partial} is not what the snapshot names: try again`);
  await chmod(partial, READ_ONLY);
  await rm(path, { force: true });
  await rename(partial, path);
  return "downloaded";
}

/** Whether a file has the size of the object, and its MD5 where the etag is one. */
async function isThere(path: string, { size_bytes: size, etag }: SnapshotObject): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found?.size !== size) return false;
  if (!MD5.test(etag)) return true;
  const hash = createHash("md5");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex") === etag;
}
