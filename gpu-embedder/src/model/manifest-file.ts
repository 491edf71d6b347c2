import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { err, ok, type Result } from "../base/result.ts";
import { MINILM_MANIFEST, type ModelManifest } from "./manifest.ts";

/** Looked for in the model's folder where `EMBED_MODEL_MANIFEST` names no other file. */
const MANIFEST_NAME = "model-manifest.json";
/** Files of a manifest: a model has about ten. */
const FILES_MAX = 256;

/** A path that stays inside the model's folder on every system: plain names, joined by slashes. */
const innerPath = z
  .string()
  .regex(/^[\w.-]+(?:\/[\w.-]+)*$/u)
  .refine((path) => !path.split("/").some((name) => /^\.+$/u.test(name)));

const manifestSchema = z.strictObject({
  model_id: z.string().regex(/^[\w.-]+(?:\/[\w.-]+)?$/u),
  /** A commit: 40 hexadecimal characters. A branch is not pinned. */
  revision: z.string().regex(/^[0-9a-f]{40}$/u),
  files: z
    .array(
      z.strictObject({
        path: innerPath,
        size_bytes: z.int().nonnegative(),
        sha256: z.string().regex(/^[0-9a-f]{64}$/u),
      }),
    )
    .min(1)
    .max(FILES_MAX),
});

export type ManifestError = { readonly code: "manifest_invalid"; readonly detail: string };

function readManifest(path: string): Result<ModelManifest, ManifestError> {
  try {
    const { model_id: modelId, revision, files } = manifestSchema.parse(JSON.parse(readFileSync(path, "utf8")));
    const named = files.map((file) => ({ path: file.path, sizeBytes: file.size_bytes, sha256: file.sha256 }));
    return ok({ modelId, revision, files: named, wheel: undefined });
  } catch (cause) {
    const issue = cause instanceof z.ZodError ? cause.issues[0] : undefined;
    const detail = issue === undefined ? "no JSON can be read" : `${issue.path.join(".")}: ${issue.message}`;
    return err({ code: "manifest_invalid", detail: `${path}: ${detail}` });
  }
}

/**
 * The exact files of the model that is asked for: of `EMBED_MODEL_MANIFEST`, else of `model-manifest.json` in the folder, else those
 * known for the default model. Undefined for another model without a manifest: its folder is taken as it is.
 * Errors: `manifest_invalid`, also for a manifest of another model than `modelId`.
 */
export function manifestFor(
  folder: string,
  modelId: string | undefined,
  environment: NodeJS.ProcessEnv,
): Result<ModelManifest | undefined, ManifestError> {
  const given = environment["EMBED_MODEL_MANIFEST"];
  const path = given === undefined || given === "" ? join(folder, MANIFEST_NAME) : resolve(given);
  if (path === join(folder, MANIFEST_NAME) && !existsSync(path)) {
    return ok(modelId === undefined || modelId === MINILM_MANIFEST.modelId ? MINILM_MANIFEST : undefined);
  }
  const manifest = readManifest(path);
  if (!manifest.ok || modelId === undefined || manifest.value.modelId === modelId) return manifest;
  return err({ code: "manifest_invalid", detail: `${path} is of ${manifest.value.modelId}, not of ${modelId}` });
}
