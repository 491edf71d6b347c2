import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const PROJECT = new URL("../../../", import.meta.url);
const wrangler = readFileSync(new URL("wrangler.toml", PROJECT), "utf8");
const guide = readFileSync(new URL("docs/deploy.md", PROJECT), "utf8");

const valuesOf = (name: string): readonly string[] =>
  [...wrangler.matchAll(new RegExp(`^${name} = "([^"]+)"$`, "gm"))].map(([, value = ""]) => value);
const created = (what: string): readonly string[] =>
  [...guide.matchAll(new RegExp(`^npx wrangler ${what} create (\\S+)`, "gm"))].map(([, name = ""]) => name);

describe("the deploy guide", () => {
  it("creates each bucket, queue and namespace of wrangler.toml, and no other", () => {
    expect(new Set(created("r2 bucket"))).toEqual(new Set(valuesOf("bucket_name")));
    expect(new Set(created("queues"))).toEqual(new Set([...valuesOf("queue"), ...valuesOf("dead_letter_queue")]));
    const namespaces = [...wrangler.matchAll(/\[\[kv_namespaces\]\]\nbinding = "([^"]+)"/g)].map(
      ([, name = ""]) => name,
    );
    expect(created("kv namespace")).toEqual(namespaces);
  });

  it("names the secrets without which wrangler.toml says nothing works", () => {
    const [, required = ""] = /Secrets \(wrangler secret put\): (.+?), and where wanted/.exec(wrangler) ?? [];
    const names = required.split(/,\s*(?:and )?/);
    expect(names.length).toBeGreaterThan(2);
    for (const name of names) expect(guide).toContain(`| \`${name}\` |`);
  });
});
