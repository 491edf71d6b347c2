import { describe, expect, it } from "vitest";
import { findPii } from "../../../src/lib/pii/find-pii.ts";

/** UTF-16 units of the larger text. */
const LENGTH = 256 * 1024;
/** UTF-16 units of the largest document that is accepted. */
const LARGEST = 1024 * 1024;
/**
 * How much longer the fourfold text may take. Linear work takes 4 times as long, quadratic 16 times; the rest is for a busy machine.
 */
const RATIO_MAX = 9;
/** Below this a measurement says nothing, milliseconds. */
const NOISE_MS = 30;

/** Texts that make a careless expression try again from every position. */
const UNITS: Readonly<Record<string, string>> = {
  digits: "1",
  "digits and blanks": "1 ",
  "short numbers": "12 ",
  "digit groups": "1234-",
  letters: "a",
  capitals: "A",
  "capital words": "Abc ",
  "unknown names": "Zxqvia ",
  "names and commas": "Ada Lovelace, ",
  initials: "A. ",
  "at signs": "@",
  "addresses without an end": "a@b.",
  "local parts": "a.b-",
  dots: ".",
  "dotted numbers": "1.",
  colons: ":",
  "hexadecimal groups": "ab:",
  schemes: "a://",
  credentials: "a://b:",
  "key headers": "-----BEGIN RSA PRIVATE KEY-----",
  "token heads": "eyJ",
  "token parts": "eyJaaaaaaaa.",
  "password names": "password",
  assignments: "password: ",
  blanks: " ",
  "line breaks": "\n",
  "quote marks": "> ",
  "lines with a blank": "a\n",
  "street numbers": "12 Via ",
  streets: "12 Oak ",
  corners: "corner of A and ",
  units: "Apt. 1 ",
  boxes: "P.O. Box 1 ",
  places: "Paris, ",
  brackets: "[EMAIL_ADDRESS_",
  seals: "[EMAIL_ADDRESS:v1.00000000.a",
  "license words": "driver's license number is ",
  occupations: "senior ",
  "as a": "as a ",
  accents: "é",
  pictures: "🙂",
  partners: "Ada, Bob and ",
};

/** The least CPU time of three searches, milliseconds: other work on the machine does not count. */
function cpuMsOf(text: string): number {
  const samples = Array.from({ length: 3 }, () => {
    const before = process.cpuUsage();
    findPii(text, { scoreMin: 0 });
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return Math.min(...samples);
}

describe("findPii", () => {
  it("takes less than two seconds for a document of the largest size that is prose", () => {
    const prose = "Mary met Dr. Brown in Paris on 3 May 2021 and paid 12.50 for lunch at number 7, near the river. ";
    expect(cpuMsOf(prose.repeat(LARGEST / prose.length))).toBeLessThan(2_000);
  });
});

describe("findPii takes time linear in the text", () => {
  it.each(Object.entries(UNITS))("of repeated %s", (_, unit) => {
    const long = unit.repeat(Math.ceil(LENGTH / unit.length));
    const short = long.slice(0, LENGTH / 4);
    const shortMs = cpuMsOf(short);
    expect(cpuMsOf(long)).toBeLessThan(Math.max(NOISE_MS, shortMs) * RATIO_MAX);
  });
});
