import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { withHelp } from "./help-topic.ts";
import { StackError } from "./stack-config.ts";

const run = promisify(execFile);

/** Bundling takes about three seconds; a hung wrangler is a broken installation. */
const BUNDLE_TIMEOUT_MS = 120_000;

/** Bundles the Worker of a configuration as `wrangler deploy` would, into `buildFolder`. Nothing is uploaded. */
export async function bundleWorker(
  projectFolder: string,
  buildFolder: string,
  configFile = "wrangler.toml",
): Promise<void> {
  const wrangler = join(projectFolder, "node_modules", "wrangler", "bin", "wrangler.js");
  try {
    await run(process.execPath, [wrangler, "deploy", "--config", configFile, "--dry-run", "--outdir", buildFolder], {
      cwd: projectFolder,
      timeout: BUNDLE_TIMEOUT_MS,
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true" },
    });
  } catch (cause) {
    const stderr = typeof cause === "object" && cause !== null && "stderr" in cause ? String(cause.stderr) : "";
    const message = `the Worker could not be bundled: ${stderr.slice(0, 2000)}`;
    throw new StackError(withHelp(message, "worker-not-bundled"), { cause });
  }
}
