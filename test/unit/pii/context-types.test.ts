import { describe, expect, it } from "vitest";
import { findPii } from "../../../src/lib/pii/find-pii.ts";

/** `TYPE:value` of every span. */
function found(text: string): readonly string[] {
  return findPii(text).map((span) => `${span.type}:${text.slice(span.start, span.end)}`);
}

describe("people", () => {
  it("are found by given name, surname, particle and initial, as one span", () => {
    expect(found("yesterday Marie Sklodowska called, then Ludwig van Beethoven and John F. Kennedy")).toEqual([
      "PERSON:Marie Sklodowska",
      "PERSON:Ludwig van Beethoven",
      "PERSON:John F. Kennedy",
    ]);
  });

  it("are found after an honorific, whatever their name, and the honorific is a title", () => {
    expect(found("ask Dr. Quibblesworth about it")).toEqual(["TITLE:Dr.", "PERSON:Quibblesworth"]);
  });

  it("are found again by one of their names", () => {
    expect(found("Ingrid Zyxwell left early. Nobody knew why Zyxwell did.")).toEqual([
      "PERSON:Ingrid Zyxwell",
      "PERSON:Zyxwell",
    ]);
  });

  it("end before a possessive", () => {
    expect(found("it was Jennifer's idea")).toEqual(["PERSON:Jennifer"]);
  });

  it("are found in a list with a person", () => {
    expect(found("we invited Jennifer, White and Torvald")).toEqual([
      "PERSON:Jennifer",
      "PERSON:White",
      "PERSON:Torvald",
    ]);
  });

  it("are found in a text without capitals", () => {
    expect(found("i met jennifer lopez there")).toEqual(["PERSON:jennifer lopez"]);
  });

  it("are not made of capitalised words that are no names", () => {
    expect(found("Wisdom and Discipline are Virtues. The Annual Report Was Late. WHY DON'T YOU ANSWER?")).toEqual([]);
  });
});

describe("places, firms and nationalities", () => {
  it("are told apart by lists, endings and the words before", () => {
    expect(found("she moved to Canada")).toEqual(["GPE:Canada"]);
    expect(found("he grew up in Zybrowice")).toEqual(["GPE:Zybrowice"]);
    expect(found("she works for Zybronics")).toEqual(["ORGANIZATION:Zybronics"]);
    expect(found("a letter of Initech Solutions came")).toEqual(["ORGANIZATION:Initech Solutions"]);
    expect(found("a Norwegian film")).toEqual(["NRP:Norwegian"]);
  });

  it("take a place for a place although it is a surname as well", () => {
    expect(found("I had never seen Poland before")).toEqual(["GPE:Poland"]);
  });
});

describe("addresses", () => {
  it("are one span within a sentence, up to the country", () => {
    expect(found("please send it to 1600 Amphitheatre Parkway Suite 4, Mountain View, CA 94043.")).toEqual([
      "STREET_ADDRESS:1600 Amphitheatre Parkway Suite 4, Mountain View, CA 94043",
    ]);
  });

  it.each([
    "10 Downing Street",
    "Via Garibaldi 12",
    "Rua Augusta 1500",
    "Hauptstrasse 5",
    "Kungsgatan 44",
    "P.O. Box 1234",
    "PSC 1234, Box 5678",
  ])("know how countries write streets: %s", (street) => {
    expect(found(`the parcel went to ${street} yesterday`)).toEqual([`STREET_ADDRESS:${street}`]);
  });

  it("are spans of their own where they are written line by line", () => {
    expect(found("4321 Mannerheimintie 12\nApt. 5\nHelsinki\nFinland 00100")).toEqual([
      "STREET_ADDRESS:4321",
      "STREET_ADDRESS:Mannerheimintie 12",
      "STREET_ADDRESS:Apt. 5",
      "GPE:Helsinki",
      "GPE:Finland",
      "STREET_ADDRESS:00100",
    ]);
  });

  it("are not made of counts, dates and chapters", () => {
    expect(found("12 people ate 3 cakes; see chapter 4 section 12 and 5 of 7 steps")).toEqual([]);
  });
});

describe("facts", () => {
  it("are found by form and by the words before", () => {
    expect(found("she is 42 years old")).toEqual(["AGE:42"]);
    expect(found("he was born on 3 May 1961")).toEqual(["DATE_TIME:3 May 1961"]);
    expect(found("my zip code is 90210")).toEqual(["ZIP_CODE:90210"]);
    expect(found("I work as a nurse.")).toEqual(["TITLE:nurse"]);
  });

  it("leave other numbers alone", () => {
    expect(found("it took 42 minutes and cost 90210 crowns at 80 %")).toEqual([]);
  });
});
