import { describe, expect, it } from "vitest";
import type { Embedder } from "../../../src/lib/embed/embedder.ts";
import { createEmbedderPool } from "../../../src/lib/embed/embedder-pool.ts";
import { HashEmbedder } from "../../flow/support/hash-embedder.ts";

const ask = (pool: Embedder, fingerprint: string) => pool.embed(["a wing"], { lane: "bulk", fingerprint });

describe("several embedding servers behind one port", () => {
  it("sends each text to the server that runs the fingerprint asked for", async () => {
    const servers = [new HashEmbedder(), new HashEmbedder({ fingerprint: "next", dimensions: 4 })] as const;
    const pool = createEmbedderPool(servers, () => 0);
    expect(await ask(pool, "next")).toMatchObject({ ok: true, value: [{ length: 4 }] });
    expect(await ask(pool, servers[0].served.fingerprint)).toMatchObject({ ok: true, value: [{ length: 8 }] });
    expect(servers.map(({ embeddedTexts }) => embeddedTexts.length)).toEqual([1, 1]);
    expect(await ask(pool, "unknown")).toMatchObject({ ok: false, error: { code: "embedder_mismatch" } });
  });

  it("finds a model that moved to the other server, and says what is away rather than that nobody runs it", async () => {
    const servers = [new HashEmbedder({ fingerprint: "a" }), new HashEmbedder({ fingerprint: "b" })] as const;
    const pool = createEmbedderPool(servers, () => 0);
    expect(await ask(pool, "b")).toMatchObject({ ok: true });
    servers[0].served = { ...servers[0].served, fingerprint: "b" };
    servers[1].served = { ...servers[1].served, fingerprint: "c" };
    expect(await ask(pool, "b")).toMatchObject({ ok: true });
    expect(servers[0].embeddedTexts).toHaveLength(1);
    servers[1].outage = { code: "embedder_unavailable" };
    expect(await ask(pool, "d")).toMatchObject({ ok: false, error: { code: "embedder_unavailable" } });
    expect(await ask(pool, "b")).toMatchObject({ ok: true });
  });

  it("is the server itself where there is one", () => {
    const server = new HashEmbedder();
    expect(createEmbedderPool([server], () => 0)).toBe(server);
  });
});
