import { z } from "zod";

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      dev: z.boolean().optional(),
      optionalDependencies: z.record(z.string(), z.string()).optional(),
    }),
  ),
});

/** What a lockfile says of a package that is never fetched on this platform. */
export interface SkippedPackage {
  readonly version: string;
  readonly cpu?: readonly string[];
  readonly os?: readonly string[];
  readonly libc?: readonly string[];
  readonly dev?: boolean;
  readonly optional: true;
}

/** Names of platforms as packages write them, in npm's words. */
const ALIASES: readonly (readonly [string, string])[] = [
  ["windows-64", "win32-x64"],
  ["darwin-64", "darwin-x64"],
  ["linux-64", "linux-x64"],
];

/** Platform packages that are wanted by an exact version and have no entry, by the place where npm would put them. Pure. */
export function missingOptionalPackages(lock: unknown): Record<string, SkippedPackage> {
  const { packages } = lockSchema.parse(lock);
  const missing: Record<string, SkippedPackage> = {};
  for (const [place, wanting] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(wanting.optionalDependencies ?? {})) {
      const platform = platformOf(name);
      if (platform === undefined || !/^\d/.test(version)) continue;
      const own = `${place}/node_modules/${name}`;
      const shared = `node_modules/${name}`;
      const beside = `${place.replace(/\/?node_modules\/(@[^/]+\/)?[^/]+$/, "")}/node_modules/${name}`.replace(
        /^\//,
        "",
      );
      const known = [own, beside, shared].find((at) => (packages[at] ?? missing[at])?.version === version);
      if (known !== undefined) continue;
      const at = [shared, beside, own].find((free) => packages[free] === undefined && missing[free] === undefined);
      if (at !== undefined)
        missing[at] = { version, ...platform, ...(wanting.dev === true ? { dev: true } : {}), optional: true };
    }
  }
  return missing;
}

function platformOf(name: string): Pick<SkippedPackage, "cpu" | "os" | "libc"> | undefined {
  const plain = ALIASES.reduce((text, [from, to]) => text.replace(from, to), name);
  const [, os, cpu, abi = ""] =
    /(android|darwin|freebsd|linux|openharmony|win32)-([a-z0-9]+)(?:-([a-z0-9]+))?$/.exec(plain) ?? [];
  if (os === undefined || cpu === undefined) return undefined;
  const libc = abi.startsWith("musl") ? "musl" : "glibc";
  return { cpu: [cpu], ...(os === "linux" && abi !== "" ? { libc: [libc] } : {}), os: [os] };
}
