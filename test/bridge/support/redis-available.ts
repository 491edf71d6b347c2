import { spawnSync } from "node:child_process";

/** Whether redis-server is installed. Where CI runs it has to be; elsewhere a line says that its suites do not run. */
export function isRedisAvailable(): boolean {
  const isThere = spawnSync("redis-server", ["--version"]).status === 0;
  if (!isThere && process.env["CI"] === "true")
    throw new Error("redis-server is not installed (Debian package redis-server)");
  if (!isThere) console.warn("SKIPPED: the bridge suites: there is no redis-server (Debian package redis-server)");
  return isThere;
}
