import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { currentDictionary } from "../../src/lib/flows/dictionaries/current-dictionary.ts";
import { dictionaryKey } from "../../src/lib/flows/dictionaries/dictionary-object.ts";
import { trainDictionary } from "../../src/lib/zstd/train-dictionary.ts";
import type { ZstdDictionary } from "../../src/lib/zstd/zstd-dictionary.ts";
import { utf8Bytes } from "../../src/lib/base/bytes.ts";
import { expectOk, statement } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { zstdModule } from "../support/zstd-module.ts";
import { openWorld, type World } from "./support/world.ts";

const backends = await availableBackends(["pglite", "native"]);

describe.each(backends)("the dictionary of a tenant, on %s", (backend) => {
  let world: World;
  let trained: ZstdDictionary;
  beforeAll(async () => {
    world = await openWorld(backend);
    const samples = Array.from({ length: 400 }, (_, index) =>
      utf8Bytes(`the receipt ${index} of the segment is kept with its fingerprint and vector ${index * 7}`),
    );
    trained = expectOk(trainDictionary(zstdModule(), samples, { level: 3, bytesMax: 4_096 }));
  });
  afterAll(() => world?.close());

  async function promote(tenantId: string, dictionaryId: string): Promise<void> {
    const text =
      "insert into dictionaries (tenant_id, dictionary_id, is_current, has_object) values ($1, $2, true, true)";
    const scope = { tenantId, userId: "*" };
    expectOk(await world.database.sql.transaction(scope, [statement(text, tenantId, dictionaryId)]));
  }

  it("is none before one was promoted", async () => {
    expect(await currentDictionary(world.context(), "nobody")).toEqual({ ok: true, value: null });
  });

  it("is what was promoted, and no other tenant's", async () => {
    await world.bucket.put(dictionaryKey("alpha", trained.id), trained.bytes);
    await promote("alpha", trained.id);
    expect(expectOk(await currentDictionary(world.context(), "alpha"))).toEqual(trained);
    expect(expectOk(await currentDictionary(world.context(), "beta"))).toBeNull();
  });

  it("is refused where its object is gone, holds other bytes, or cannot be read", async () => {
    await promote("gamma", trained.id);
    expect(await currentDictionary(world.context(), "gamma")).toMatchObject({ error: { code: "dictionary_missing" } });
    const damaged = Uint8Array.from(trained.bytes);
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
    await world.bucket.put(dictionaryKey("gamma", trained.id), damaged);
    expect(await currentDictionary(world.context(), "gamma")).toMatchObject({ error: { code: "dictionary_damaged" } });
    const bucket = { get: () => Promise.reject(new Error("away")) };
    const unread = await currentDictionary({ ...world.context(), bucket }, "gamma");
    expect(unread).toMatchObject({ error: { code: "storage_unavailable" } });
  });
});
