import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DocumentInput } from "../../src/lib/contract/document.ts";
import { tenantPolicySchema } from "../../src/lib/contract/policy.ts";
import { readDrift } from "../../src/lib/flows/batches/read-drift.ts";
import { reportKey, writeReport, writeReportIfDone } from "../../src/lib/flows/batches/write-report.ts";
import { expectOk } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { openWorld, type World } from "./support/world.ts";

const TEXT = "The jet flows over the wing in the boundary layer, and the token of the layer is the flow in the jet.";
const JUNK = `wing ${"token ".repeat(100)}`;
const POLICY = tenantPolicySchema.parse({
  pii: { actions: { EMAIL_ADDRESS: "redact" } },
  gate: { target_acceptance: 0 },
  duplicates: { near: false },
});
const BACKENDS = await availableBackends(["pglite", "native", "debian"]);

describe.each(BACKENDS)("on %s", (backend) => {
  let world: World;
  let tenantCount = 0;
  let tenant = "";

  beforeAll(async () => {
    world = await openWorld(backend);
  });
  afterAll(() => world?.close());

  const newTenant = (): string => (tenant = `report-${(tenantCount += 1)}`);
  async function put(batchTag: string, documents: readonly DocumentInput[], policy = POLICY): Promise<void> {
    await world.ingest(tenant, documents, { batchTag, policy });
    await world.indexQueued();
  }
  const batchOf = (batchTag: string) => ({ tenantId: tenant, batchTag });
  const stored = async (batchTag: string) => (await world.bucket.get(reportKey(batchOf(batchTag))))?.text();

  describe("an ingest report", () => {
    it("counts inputs by source, reason, step, personal data, language and version", async () => {
      newTenant();
      await put("spring", [
        { id: "a", text: `${TEXT} Write to jet@example.org or wing@example.org.`, source: "mail" },
        { id: "b", text: TEXT, source: "wiki" },
        { id: "c", text: TEXT.toUpperCase(), source: "wiki" },
        { id: "d", text: JUNK, source: "wiki" },
        { id: "e", text: "", source: "mail" },
      ]);
      const { report } = expectOk(await writeReport(world.context(), batchOf("spring")));
      expect(report).toMatchObject({
        schema_version: 2,
        document_count: 5,
        outcomes: { indexed: 2, duplicate: 1, quarantined: 1, rejected: 1 },
        relaxation: [{ step: 0, input_count: 3 }],
        pii: [{ type: "EMAIL_ADDRESS", span_count: 2, input_count: 1 }],
        versions: [{ policy_version: 0, input_count: 5 }],
      });
      expect(report.sources).toMatchObject([
        { source: "mail", tier: "doc", document_count: 2, outcomes: { indexed: 1, rejected: 1 } },
        { source: "wiki", tier: "doc", document_count: 3, outcomes: { indexed: 1, duplicate: 1, quarantined: 1 } },
      ]);
      expect(report.reasons).toContainEqual({ outcome: "duplicate", code: "duplicate_exact", input_count: 1 });
      expect(report.languages).toContainEqual({ language: "en", input_count: 3 });
      expect(report.lengths.reduce((sum, bin) => sum + bin.input_count, 0)).toBe(5);
      expect(report.models).toHaveLength(1);
      expect(JSON.stringify(report)).not.toMatch(/jet@|boundary/);
    });

    it("is rebuilt from the store byte for byte, also after its documents have other versions", async () => {
      newTenant();
      await put("spring", [
        { id: "a", text: TEXT, source: "mail" },
        { id: "b", text: JUNK },
      ]);
      expectOk(await writeReport(world.context(), batchOf("spring")));
      const first = await stored("spring");
      await world.bucket.delete(reportKey(batchOf("spring")));
      await put("summer", [
        { id: "a", text: "Another jet flies here, of which nobody knows a thing.", source: "chat", tier: "doc" },
      ]);
      expectOk(await writeReport(world.context(), batchOf("spring")));
      expect(await stored("spring")).toBe(first);
    });
  });

  describe("drift", () => {
    const documents = (source: string, count: number, from: number): DocumentInput[] =>
      Array.from({ length: count }, (_, index) => ({
        id: `${source}-${from + index}`,
        text: `The jet number ${from + index} of ${source} flies over the wing.`,
        source,
      }));
    const finish = async (batchTag: string, inputs: readonly DocumentInput[]) => {
      await put(batchTag, inputs);
      return writeReportIfDone(world.context(), batchOf(batchTag));
    };

    it("is found where the sources of a batch change, and not where they stay", async () => {
      newTenant();
      expect(await finish("one", documents("mail", 60, 0))).toMatchObject({
        has_drifted: false,
        previous: { dimensions: [] },
      });
      expect(await finish("small", documents("chat", 3, 0))).toMatchObject({ has_drifted: false });
      const steady = await finish("two", documents("mail", 60, 100));
      expect(steady).toMatchObject({ has_drifted: false, previous: { batch_tags: ["one"] } });
      const drifted = await finish("three", documents("forum", 60, 0));
      expect(drifted).toMatchObject({
        has_drifted: true,
        previous: { batch_tags: ["two"] },
        baseline: { batch_tags: ["two", "one"], document_count: 120 },
      });
      const verdicts = drifted?.previous.dimensions.map(({ dimension, verdict }) => `${dimension} ${verdict}`);
      expect(verdicts).toEqual([
        "source drifted",
        "tier steady",
        "language too_few",
        "length steady",
        "acceptance steady",
      ]);
      expect(expectOk(await readDrift(world.database.sql, batchOf("three")))).toEqual(drifted);
    });

    it("is told once: writing the same report again is no news", async () => {
      newTenant();
      expect(await finish("one", documents("mail", 5, 0))).toBeDefined();
      expect(await writeReportIfDone(world.context(), batchOf("one"))).toBeUndefined();
    });

    it("of an unknown batch, or another tenant's, is not found", async () => {
      newTenant();
      await finish("one", documents("mail", 5, 0));
      const foreign = { tenantId: "somebody-else", batchTag: "one" };
      for (const batch of [batchOf("two"), foreign])
        expect(await readDrift(world.database.sql, batch)).toMatchObject({ ok: false, error: { code: "not_found" } });
    });
  });
});
