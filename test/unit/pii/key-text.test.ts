import { describe, expect, it } from "vitest";
import { keyBytesOf, keysByTenant } from "../../../src/lib/pii/key-text.ts";
import { PiiKeyring } from "../../../src/lib/pii/keyring.ts";

const KEY = Buffer.alloc(32, 7).toString("base64");

describe("the text of a key", () => {
  it("is base64 of 32 bytes, with white space around it or none", () => {
    expect(keyBytesOf(`${KEY}\n`)).toEqual(new Uint8Array(32).fill(7));
  });

  it.each([
    ["nothing", ""],
    ["fewer bytes", Buffer.alloc(31, 7).toString("base64")],
    ["more bytes", Buffer.alloc(33, 7).toString("base64")],
    ["hexadecimal digits", Buffer.alloc(32, 7).toString("hex")],
    ["two keys", `${KEY}\n${KEY}`],
  ])("is not %s", (_name, text) => {
    expect(keyBytesOf(text)).toBeUndefined();
  });

  it("stands in a JSON object by tenant, and one wrong key makes all of it wrong", () => {
    expect([...(keysByTenant(JSON.stringify({ acme: KEY })) ?? [])]).toEqual([["acme", new Uint8Array(32).fill(7)]]);
    for (const json of ["", "[]", JSON.stringify({ acme: KEY, other: "short" }), JSON.stringify({ "No Tenant": KEY })])
      expect(keysByTenant(json)).toBeUndefined();
  });
});

describe("a keyring", () => {
  it("derives a key once, and has none of a tenant it does not know", async () => {
    const ring = new PiiKeyring(new Map([["acme", new Uint8Array(32).fill(7)]]));
    expect([ring.has("acme"), ring.has("other")]).toEqual([true, false]);
    expect(await ring.keyOf("acme")).toBe(await ring.keyOf("acme"));
    expect(await ring.keyOf("other")).toBeUndefined();
  });
});
