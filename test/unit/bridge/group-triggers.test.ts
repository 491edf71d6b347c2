import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { groupTriggers } from "../../../src/bridge/group-triggers.ts";
import { channelRequest, streamRequest } from "../../../src/bridge/ingest-request.ts";
import { documentKeys, type Trigger } from "../../../src/bridge/trigger.ts";

const trigger = (id: string, ...documentIds: readonly string[]): Trigger => ({
  id,
  documents: documentIds.map((documentId) => ({ id: documentId, text: "x" })),
  sizeBytes: 10 * documentIds.length,
});
const triggerArbitrary = fc
  .array(fc.constantFrom("a", "b", "c", "d", "e", "f"), { minLength: 1, maxLength: 5 })
  .map((ids) => trigger(ids.join("-"), ...ids));

describe("groupTriggers", () => {
  it("keeps every trigger in its order, each group within the bounds or of one trigger, and no document twice across triggers of a group", () => {
    const bounds = { documentsMax: 6, bytesMax: 50 };
    fc.assert(
      fc.property(fc.array(triggerArbitrary, { maxLength: 30 }), (triggers) => {
        const groups = groupTriggers(triggers, bounds);
        expect(groups.flat()).toEqual(triggers);
        for (const group of groups.filter(({ length }) => length > 1)) {
          expect(group.flatMap(({ documents }) => documents).length).toBeLessThanOrEqual(bounds.documentsMax);
          expect(group.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)).toBeLessThanOrEqual(bounds.bytesMax);
          const keys = group.map((each) => documentKeys([each]).size).reduce((sum, count) => sum + count, 0);
          expect(documentKeys(group).size).toBe(keys);
        }
      }),
    );
  });

  it("takes documents of two users with one id for two", () => {
    const of = (userId: string): Trigger => ({
      id: "1-1",
      documents: [{ id: "a", text: "x", user_id: userId }],
      sizeBytes: 1,
    });
    expect(groupTriggers([of("u"), of("v")], { documentsMax: 9, bytesMax: 9 })).toHaveLength(1);
  });
});

describe("idempotency keys", () => {
  it("are the same for the same entries, and others for another stream, entry, order or content", () => {
    const [first, second] = [trigger("1-1", "a"), trigger("1-2", "b")];
    const key = streamRequest("s", [first, second]).idempotencyKey;
    expect(streamRequest("s", [{ ...first }, { ...second }]).idempotencyKey).toBe(key);
    const others = [
      streamRequest("t", [first, second]),
      streamRequest("s", [first]),
      streamRequest("s", [second, first]),
      streamRequest("s", [first, trigger("1-3", "b")]),
      streamRequest("s", [first, trigger("1-2", "c")]),
      channelRequest("r", [first, second]),
    ].map(({ idempotencyKey }) => idempotencyKey);
    expect(new Set([key, ...others]).size).toBe(7);
  });
});
