import { mkdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { sha256OfFile, temporaryPath } from "../base/atomic-file.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { ManifestFile, ModelManifest } from "./manifest.ts";
import type { ModelSource } from "./model-source.ts";

export type ProvisionError = {
  readonly code: "model_not_available";
  /** Each source that was tried, in order, and why it did not deliver. */
  readonly attempts: readonly { readonly source: string; readonly reason: string }[];
};

/** Below the model's folder; holds downloads that were cut. */
const PARTIAL_FOLDER = ".partial";

export type ProvisionReport = {
  readonly folder: string;
  /** Name of the source, or `local` when every file was in place already. */
  readonly source: string;
  readonly filesFetched: number;
};

/** Why a file is not the pinned one, or undefined when it is. The size is compared first: it is free. */
async function faultOf(folder: string, file: ManifestFile): Promise<string | undefined> {
  const path = join(folder, file.path);
  const size = await stat(path).then(
    (found) => found.size,
    () => undefined,
  );
  if (size === undefined) return "missing";
  if (size !== file.sizeBytes) return `${size} bytes instead of ${file.sizeBytes}`;
  return (await sha256OfFile(path)) === file.sha256 ? undefined : "SHA-256 differs from the pinned one";
}

/** The manifest's files that are missing or damaged in a folder. Reads and hashes every file. */
export async function damagedFiles(folder: string, manifest: ModelManifest): Promise<readonly ManifestFile[]> {
  const faults = await Promise.all(manifest.files.map((file) => faultOf(folder, file)));
  return manifest.files.filter((_, index) => faults[index] !== undefined);
}

/** Moves the staged files into the folder if each is the pinned one. Returns why not otherwise. */
async function accept(
  stagingFolder: string,
  folder: string,
  wanted: readonly ManifestFile[],
): Promise<string | undefined> {
  for (const file of wanted) {
    const fault = await faultOf(stagingFolder, file);
    if (fault !== undefined) return `${file.path}: ${fault}`;
  }
  for (const file of wanted) {
    const target = join(folder, file.path);
    await mkdir(dirname(target), { recursive: true });
    await rename(join(stagingFolder, file.path), target);
  }
  return undefined;
}

/**
 * Makes a folder hold exactly the manifest's files. Present and correct files stay; the others come from the first source whose
 * bytes match every pinned hash. A file appears by rename, so it is never seen half. Safe to run from several processes at once.
 * Errors: `model_not_available` with each source and its reason.
 */
export async function provisionModel(
  folder: string,
  manifest: ModelManifest,
  sources: readonly ModelSource[],
): Promise<Result<ProvisionReport, ProvisionError>> {
  const wanted = await damagedFiles(folder, manifest);
  if (wanted.length === 0) return ok({ folder, source: "local", filesFetched: 0 });
  const partialFolder = join(folder, PARTIAL_FOLDER);
  const attempts: { source: string; reason: string }[] = [];
  for (const source of sources) {
    const stagingFolder = temporaryPath(join(folder, "staging"));
    try {
      await mkdir(stagingFolder, { recursive: true });
      const fetched = await source.fetch({ manifest, wanted, stagingFolder, partialFolder });
      const reason = fetched.ok ? await accept(stagingFolder, folder, wanted) : fetched.error;
      if (reason === undefined) return ok({ folder, source: source.name, filesFetched: wanted.length });
      attempts.push({ source: source.name, reason });
    } catch (cause) {
      attempts.push({ source: source.name, reason: cause instanceof Error ? cause.message : "failed" });
    } finally {
      await rm(stagingFolder, { recursive: true, force: true });
      // goes only where it is empty
      await rmdir(partialFolder).catch(() => undefined);
    }
  }
  return err({ code: "model_not_available", attempts });
}

/** The error as one message for a person. */
export function describeProvisionError(modelId: string, error: ProvisionError): string {
  const lines = error.attempts.map(({ source, reason }) => `  - ${source}: ${reason}`);
  return [`The files of ${modelId} could not be had. Tried, in this order:`, ...lines].join("\n");
}
