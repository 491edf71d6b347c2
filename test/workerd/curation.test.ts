import { describe, expect, it } from "vitest";
import { ask, ingest, makeKey, suiteEnv } from "./support/worker.ts";

const TEXT = "The committee met on Tuesday and talked about the budget of the coming year, which nobody had read.";
const MAIL = "person.of.interest@example.org";

async function keysWith(tenantId: string, policy: object): Promise<string> {
  const { key: admin } = await makeKey(tenantId, ["admin"]);
  const put = await ask("/v1/admin/policy", {
    method: "PUT",
    key: admin,
    body: JSON.stringify(policy),
    headers: { "content-type": "application/json" },
  });
  expect(put.status).toBe(200);
  return (await makeKey(tenantId, ["ingest"])).key;
}

/** Everything that lies in R2 for a tenant, as text. */
async function stored(tenantId: string): Promise<string> {
  const { objects } = await suiteEnv().BUCKET.list();
  const own = objects.filter(({ key }) => key.includes(`/${tenantId}/`));
  const texts = await Promise.all(
    own.map(async ({ key }) => {
      const bytes = await (await suiteEnv().BUCKET.get(key))?.arrayBuffer();
      return new TextDecoder().decode(bytes);
    }),
  );
  return texts.join("\n");
}

describe("personal data at the edge", () => {
  it("that the policy redacts is redacted before anything is stored", async () => {
    const key = await keysWith("curation-a", { pii: { actions: { EMAIL_ADDRESS: "redact" } } });
    const reply = await ingest(key, { documents: [{ id: "a", text: `${TEXT} ${MAIL}`, metadata: { from: MAIL } }] });
    expect(reply.json).toMatchObject({ accepted: 1 });
    const all = await stored("curation-a");
    expect(all).toContain("[EMAIL_ADDRESS_1]");
    expect(all).not.toContain(MAIL);
  });

  it("that the policy rejects reaches neither R2 nor the reply, and is counted", async () => {
    const key = await keysWith("curation-b", { pii: { actions: { EMAIL_ADDRESS: "reject" } } });
    const reply = await ingest(key, { documents: [{ id: "a", text: `${TEXT} ${MAIL}`, source: "mail" }] });
    expect(reply.json).toMatchObject({ rejected: 1, receipts: [{ reasons: [{ code: "pii_rejected" }] }] });
    expect(reply.text).not.toContain(MAIL);
    const all = await stored("curation-b");
    expect(all).not.toContain(MAIL);
    expect(all).not.toContain("committee");
  });

  it("is judged by the external analyzer where there is one: when it does not answer, nothing is stored", async () => {
    const key = await keysWith("curation-c", {});
    const env = suiteEnv({ PII_ENDPOINT: "http://127.0.0.1:9" });
    const reply = await ingest(key, { documents: [{ id: "a", text: TEXT }] }, {}, env);
    expect(reply.json).toMatchObject({ status: 503, code: "pii_analyzer_unavailable" });
    expect(await stored("curation-c")).toBe("");
  });
});

describe("the metrics of curation", () => {
  it("count verdicts by source, spans by type and the share that relaxed thresholds let in", async () => {
    const key = await keysWith("curation-d", { pii: { actions: { EMAIL_ADDRESS: "redact" } } });
    const env = suiteEnv();
    const documents = [
      { id: "a", text: `${TEXT} ${MAIL}`, source: "curation-metrics" },
      { id: "b", text: " ", source: "curation-metrics" },
    ];
    await ingest(key, { documents }, {}, env);
    const { text } = await ask("/metrics", { headers: { authorization: "Bearer metrics-token-of-the-tests" } }, env);
    expect(text).toContain('ingest_source_inputs_total{outcome="accepted",source="curation-metrics"} 1\n');
    expect(text).toContain('ingest_source_inputs_total{outcome="rejected",source="curation-metrics"} 1\n');
    expect(text).toContain('fallback_fraction{source="curation-metrics"} 0\n');
    expect(text).toMatch(/pii_spans_total\{type="EMAIL_ADDRESS"\} \d+\n/);
    expect(text).toMatch(/ingest_rejected_total\{code="empty_text"\} \d+\n/);
  });

  it("keep sources from crowding out what else is counted", async () => {
    const hub = suiteEnv().METRICS_HUB.getByName("bounds");
    const series = Array.from(
      { length: 1_200 },
      (_, index) => [`ingest_relaxed_total{source="s${index}"}`, 1] as const,
    );
    await hub.add("flush-1", series);
    await hub.add("flush-2", [["tokens_total", 7]]);
    const totals = new Map(await hub.read());
    expect(totals.size).toBe(1_002);
    expect(totals.get('ingest_relaxed_total{source="other"}')).toBe(200);
    expect(totals.get("tokens_total")).toBe(7);
  });
});
