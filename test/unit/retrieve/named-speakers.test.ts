import { describe, expect, it } from "vitest";
import { namedSpeakers } from "../../../src/lib/retrieve/named-speakers.ts";

describe("the speakers that a query names", () => {
  it("are named by the whole name or the first one, in any case, and not inside other words", () => {
    const speakers = ["Ann", "Ben Smith", "Ed", "J", ""];
    expect([...namedSpeakers("What did ANN tell Ben about Edinburgh? J", speakers)]).toEqual(["Ann", "Ben Smith"]);
    expect([...namedSpeakers("Ed's plans, Smith's fears", speakers)]).toEqual(["Ed"]);
    expect([...namedSpeakers("nobody", speakers)]).toEqual([]);
  });
});
