import { describe, expect, it } from "vitest";
import { findPii } from "../../../src/lib/pii/find-pii.ts";

/** `TYPE:value` of every span. */
function found(text: string): readonly string[] {
  return findPii(text).map((span) => `${span.type}:${text.slice(span.start, span.end)}`);
}

describe("findPii", () => {
  it("finds an e-mail address, a card number and a phone number in one sentence, in order", () => {
    expect(found("Mail ada@example.org, card 4111 1111 1111 1111, or call +44 20 7946 0018.")).toEqual([
      "EMAIL_ADDRESS:ada@example.org",
      "CREDIT_CARD:4111 1111 1111 1111",
      "PHONE_NUMBER:+44 20 7946 0018",
    ]);
  });

  it("leaves ordinary prose with numbers alone", () => {
    expect(found("Chapter 12 of the 3rd edition costs 1,299.00 and weighs 0.45 kg; see version 10.2.3.4.")).toEqual([]);
  });
});
