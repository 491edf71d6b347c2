import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { WalDocument } from "../../../src/lib/contract/wal-record.ts";
import { groupRanges, TOGETHER_LIMITS } from "../../../src/lib/flows/indexing/group-ranges.ts";
import { prepareDocument } from "../../../src/lib/flows/indexing/prepare-document.ts";
import type { PreparedRange } from "../../../src/lib/flows/indexing/prepare-range.ts";

/** A range as far as grouping looks at it. */
interface Sketch {
  readonly tenant: string;
  readonly place: number;
  readonly modelId: number;
  readonly documentIds: readonly string[];
  readonly series: string | undefined;
  readonly characters: number;
}

function documentOf(documentId: string, sketch: Sketch): WalDocument {
  return {
    document_index: 0,
    document_id: documentId,
    user_id: "ann",
    tier: "event",
    source: "",
    title: "",
    metadata: {},
    occurred_at_ms: null,
    text: "x".repeat(sketch.characters),
    verdict: "accepted",
    reasons: [],
    ...(sketch.series === undefined ? {} : { series: sketch.series }),
  };
}

function rangeOf(sketch: Sketch): { readonly sketch: Sketch; readonly prepared: PreparedRange } {
  const { tenant, place, modelId } = sketch;
  const walId = String(place).padStart(26, "0");
  const documents = sketch.documentIds.map((id) => documentOf(id, sketch));
  // Grouping reads no more of message, model and head than is here.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const prepared = {
    message: { tenant_id: tenant, wal_id: walId, range_index: 0 },
    model: { modelId },
    head: { tenant_id: tenant },
    documents,
    unchanged: [],
    duplicates: [],
    fresh: documents.map((document) => ({ ...prepareDocument(tenant, walId, document), sketch: undefined })),
  } as unknown as PreparedRange;
  return { sketch, prepared };
}

const sketches: fc.Arbitrary<readonly Sketch[]> = fc.uniqueArray(
  fc.record({
    tenant: fc.constantFrom("a", "b"),
    place: fc.nat(10_000),
    modelId: fc.constantFrom(1, 1, 1, 2),
    documentIds: fc.uniqueArray(fc.nat(40).map(String), { minLength: 1, maxLength: 3 }),
    series: fc.option(fc.constantFrom("s", "t", "u"), { nil: undefined, freq: 5 }),
    characters: fc.constantFrom(10, 500, 5_000, TOGETHER_LIMITS.rangeCharactersMax),
  }),
  { selector: ({ place }) => place, maxLength: 60 },
);

const touchEachOther = (a: Sketch, b: Sketch): boolean =>
  a.tenant === b.tenant &&
  (a.documentIds.some((id) => b.documentIds.includes(id)) || (a.series !== undefined && a.series === b.series));

describe("the groups of a batch", () => {
  it("hold each range once, within the bounds, of one tenant and one model", () => {
    fc.assert(
      fc.property(sketches, (all) => {
        const ranges = all.map(rangeOf);
        const { together, after } = groupRanges(ranges);
        expect(new Set([...together.flat(), ...after])).toEqual(new Set(ranges));
        expect(together.flat().length + after.length).toBe(ranges.length);
        for (const group of together) {
          const documents = group.flatMap(({ prepared }) => prepared.documents);
          expect(new Set(group.map(({ sketch }) => `${sketch.tenant} ${sketch.modelId}`)).size).toBe(1);
          expect(group.length).toBeLessThanOrEqual(TOGETHER_LIMITS.rangesMax);
          expect(documents.length).toBeLessThanOrEqual(TOGETHER_LIMITS.documentsMax);
          const characters = documents.reduce((sum, { text }) => sum + (text?.length ?? 0), 0);
          expect(characters <= TOGETHER_LIMITS.charactersMax || group.length === 1).toBe(true);
        }
      }),
    );
  });

  it("put of any two that touch the same thing the earlier first", () => {
    fc.assert(
      fc.property(sketches, (all) => {
        const { together, after } = groupRanges(all.map(rangeOf));
        // A group is one moment, and all groups come before what waits.
        const momentOf = new Map<Sketch, number>(together.flat().map(({ sketch }) => [sketch, 0]));
        for (const [index, { sketch }] of after.entries()) momentOf.set(sketch, index + 1);
        for (const a of all)
          for (const b of all)
            if (a.place < b.place && touchEachOther(a, b))
              expect(momentOf.get(a) ?? 0).toBeLessThan(momentOf.get(b) ?? 0);
      }),
    );
  });

  it("do not hold up a range that touches nothing of the others", () => {
    fc.assert(
      fc.property(sketches, (all) => {
        const { after } = groupRanges(all.map(rangeOf));
        for (const { sketch } of after)
          expect(all.some((other) => other.place < sketch.place && touchEachOther(other, sketch))).toBe(true);
      }),
    );
  });

  it("leave a large range alone", () => {
    const small = { tenant: "a", modelId: 1, series: undefined, characters: 10 };
    const ranges = [1, 2, 3].map((place) => rangeOf({ ...small, place, documentIds: [`${place}`] }));
    const large = rangeOf({
      ...small,
      place: 0,
      documentIds: ["0"],
      characters: TOGETHER_LIMITS.rangeCharactersMax + 1,
    });
    expect(groupRanges([large, ...ranges]).together).toEqual([ranges, [large]]);
  });
});
