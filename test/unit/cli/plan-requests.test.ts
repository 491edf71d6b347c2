import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  contentBatchTag,
  hashedDocument,
  planRequests,
  REQUEST_DOCUMENTS,
} from "../../../src/cli/ingest/plan-requests.ts";

const documents = fc
  .uniqueArray(fc.nat(100_000), { maxLength: 450 })
  .map((numbers) => numbers.map((number) => hashedDocument({ id: String(number), text: `text ${number}` })));

describe("the requests of an ingest", () => {
  it("hold every document once, in order, within bounds", () => {
    fc.assert(
      fc.property(documents, (all) => {
        const requests = planRequests(all, "tag");
        expect(requests.flatMap((request) => request.documents)).toEqual(all);
        for (const request of requests) expect(request.documents.length).toBeLessThanOrEqual(REQUEST_DOCUMENTS);
      }),
    );
  });

  it("are the same ones for what an interrupted run left", () => {
    fc.assert(
      fc.property(documents, fc.nat(5), (all, sentCount) => {
        const requests = planRequests(all, "tag");
        const left = requests.slice(sentCount);
        expect(
          planRequests(
            left.flatMap((request) => request.documents),
            "tag",
          ),
        ).toEqual(left);
      }),
    );
  });

  it("have keys of their content and their batch", () => {
    const [a, b] = [hashedDocument({ id: "a", text: "x" }), hashedDocument({ id: "b", text: "x" })];
    const keys = [planRequests([a], "t"), planRequests([b], "t"), planRequests([a], "u")].map(
      ([first]) => first?.idempotencyKey,
    );
    expect(new Set(keys).size).toBe(3);
    expect(contentBatchTag([a, b])).toBe(contentBatchTag([b, a]));
  });
});
