import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { missingOptionalPackages } from "../../ops/lockfile.ts";

describe("the lockfiles", () => {
  it.each(["package-lock.json", "gpu-embedder/package-lock.json"])(
    "%s has an entry for every platform, or npm ci refuses it",
    (path) => {
      expect(missingOptionalPackages(JSON.parse(readFileSync(path, "utf8")))).toEqual({});
    },
  );

  it("would notice a platform that npm left out, also of a second version", () => {
    const lock = {
      packages: {
        "": {},
        "node_modules/a": {
          version: "1.0.0",
          dev: true,
          optionalDependencies: { "@a/binding-linux-x64-musl": "1.0.0", fsevents: "~2" },
        },
        "node_modules/b/node_modules/a": {
          version: "2.0.0",
          optionalDependencies: { "@a/binding-linux-x64-musl": "2.0.0" },
        },
      },
    };
    expect(missingOptionalPackages(lock)).toEqual({
      "node_modules/@a/binding-linux-x64-musl": {
        version: "1.0.0",
        cpu: ["x64"],
        libc: ["musl"],
        os: ["linux"],
        dev: true,
        optional: true,
      },
      "node_modules/b/node_modules/@a/binding-linux-x64-musl": {
        version: "2.0.0",
        cpu: ["x64"],
        libc: ["musl"],
        os: ["linux"],
        optional: true,
      },
    });
  });
});
