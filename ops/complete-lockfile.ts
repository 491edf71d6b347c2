/**
 * Adds to package-lock.json the optional platform packages that npm left out, as npm does when a registry does not serve them:
 * `npm ci` refuses a lockfile without them. They carry no integrity, since they were never fetched; npm skips them by os and cpu.
 * Run after every change of dependencies: `npm run lockfile`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { missingOptionalPackages } from "./lockfile.ts";

const path = new URL("../package-lock.json", import.meta.url);
const lock: unknown = JSON.parse(readFileSync(path, "utf8"));
if (typeof lock !== "object" || lock === null || !("packages" in lock)) throw new Error("not a lockfile");
const missing = missingOptionalPackages(lock);
const packages = Object.entries(Object.assign({}, lock.packages, missing)).toSorted(([a], [b]) => (a < b ? -1 : 1));
writeFileSync(path, `${JSON.stringify({ ...lock, packages: Object.fromEntries(packages) }, null, 2)}\n`);
console.log(`${Object.keys(missing).length} packages added`);
