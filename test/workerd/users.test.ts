import { describe, expect, it } from "vitest";
import { erasureCertificateSchema, erasureListSchema } from "../../src/lib/contract/user-erasure.ts";
import { frame, lines, openSession, sendFrames } from "./support/session.ts";
import { ask, makeKey, type Reply } from "./support/worker.ts";

const TENANT = "erasing-users";

const erase = (key: string, user = "ann"): Promise<Reply> =>
  ask(`/v1/users/${encodeURIComponent(user)}`, { method: "DELETE", key });

describe("DELETE /v1/users/{id}", () => {
  it("is for admin keys of the tenant, and for a key of the user's own that may write", async () => {
    const { key: writer } = await makeKey(TENANT, ["ingest", "search"]);
    const { key: bob } = await makeKey(TENANT, ["ingest"], { userId: "bob" });
    const { key: reader } = await makeKey(TENANT, ["search"], { userId: "ann" });
    const { key: ann } = await makeKey(TENANT, ["ingest"], { userId: "ann" });
    const { key: admin } = await makeKey(TENANT, ["admin"]);
    expect((await erase(writer)).body.code).toBe("scope_missing");
    expect((await erase(bob)).body.code).toBe("user_forbidden");
    expect((await erase(reader)).body.code).toBe("scope_missing");
    expect((await erase(admin, "*")).body.code).toBe("parameter_invalid");
    for (const key of [ann, admin]) expect((await erase(key)).status).toBe(200);
    const list = await ask("/v1/users/ann/erasures", { key: ann });
    expect(erasureListSchema.parse(list.json)).toMatchObject({ user_id: "ann", running: false });
    expect(erasureListSchema.parse(list.json).certificates).toHaveLength(2);
    expect((await ask("/v1/users/ann/erasures", { key: bob })).body.code).toBe("user_forbidden");
  });

  it("ends the user's open session and what it streamed, and leaves that of another user open", async () => {
    const { key } = await makeKey(TENANT, ["ingest", "admin"]);
    const ann = await openSession(key, "ann", { session_id: "talk" });
    const bob = await openSession(key, "bob", { session_id: "talk" });
    for (const session of [ann, bob]) expect((await sendFrames(session, lines([frame(1), frame(2)]))).json.ack).toBe(2);
    const certificate = erasureCertificateSchema.parse((await erase(key)).json);
    expect(certificate.places.session_logs?.before).toBe(1);
    expect((await sendFrames(ann, lines([frame(3)]))).json.code).toBe("session_unknown");
    expect((await sendFrames(bob, lines([frame(3)]))).json.ack).toBe(3);
    const again = await openSession(key, "ann", { session_id: "talk" });
    expect((await sendFrames(again, lines([frame(1)]))).json.ack).toBe(1);
  });
});
