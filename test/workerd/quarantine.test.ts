import { describe, expect, it } from "vitest";
import { ask, ingest, makeKey } from "./support/worker.ts";

describe("the quarantine routes", () => {
  it("answer strangers with 404, keys without the scope with 403, and a note that is too long with 422", async () => {
    const { key: admin } = await makeKey("quarantine-a", ["admin"]);
    const { key } = await makeKey("quarantine-a", ["ingest", "search"]);
    const id = "01J0000000000000000000000A-0";
    const release = (by: string, note = "") =>
      ask(`/v1/quarantine/${id}/release`, {
        method: "POST",
        key: by,
        body: JSON.stringify({ note }),
        headers: { "content-type": "application/json" },
      });
    expect((await ask(`/v1/quarantine/${id}`, { key })).status).toBe(404);
    expect((await release(admin)).status).toBe(404);
    expect((await release(key)).status).toBe(403);
    expect((await release(admin, "x".repeat(501))).json).toMatchObject({ code: "body_invalid", pointer: "/note" });
    expect((await ask(`/v1/quarantine/${id}`, { method: "DELETE", key: admin })).status).toBe(404);
    expect((await ask(`/v1/quarantine/${id}`, { method: "DELETE", key })).status).toBe(403);
    expect((await ask("/v1/quarantine?state=lost", { key: admin })).status).toBe(422);
    expect((await ask("/v1/quarantine?state=held", { key: admin })).json).toEqual({ quarantined: [] });
  });

  it("reply to an ingest whose input is held back, and say why", async () => {
    const { key } = await makeKey("quarantine-b", ["ingest"]);
    const reply = await ingest(key, { documents: [{ id: "a", text: `jet wing ${"token ".repeat(100)}` }] });
    expect(reply.status).toBe(202);
    expect(reply.json).toMatchObject({ accepted: 0, quarantined: 1, receipts: [{ status: "quarantined" }] });
    expect(reply.body.receipts[0]?.reasons.map((reason) => reason.code)).toContain("repeated_word");
  });
});
