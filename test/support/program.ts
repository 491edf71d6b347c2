import { spawnSync } from "node:child_process";

/**
 * Whether a program of the system is there. Where it is not, its suite says so and does not run; in CI it has to be there, and the suite that
 * runs without it fails.
 */
export function isRunnable(program: string): boolean {
  const found = spawnSync(program, ["--version"], { stdio: "ignore" }).error === undefined;
  // oxlint-disable-next-line no-console -- what was not run is said where the run is read
  if (!found) console.warn(`${program} is not installed: its suite is left out (Debian: apt-get install prometheus)`);
  return found || process.env["CI"] === "true";
}
