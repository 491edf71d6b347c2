import { describe, expect, it } from "vitest";
import type { PiiType } from "../../../src/lib/contract/pii.ts";
import { findPii } from "../../../src/lib/pii/find-pii.ts";

interface Row {
  readonly type: PiiType;
  /** The value stands at `{}`. */
  readonly text: string;
  /** Public test numbers and worked examples of the issuers. */
  readonly valid: readonly string[];
  /** The same with a wrong check digit, length or range. */
  readonly invalid: readonly string[];
}

// Joined from parts, so that no scanner takes this file for a leak.
const token = (...parts: readonly string[]): string => parts.join("");

const ROWS: readonly Row[] = [
  {
    type: "CREDIT_CARD",
    text: "we saw {} today",
    valid: [
      "4111111111111111",
      "4111 1111 1111 1111",
      "5555-5555-5555-4444",
      "378282246310005",
      "30569309025904",
    ].concat("6011111111111117", "3530111333300000", "2223003122003222", "6200000000000005"),
    invalid: ["4111111111111112", "9999999999999995", "411111111111111", "0000000000000000"],
  },
  { type: "CREDIT_CARD", text: "my card {} is lost", valid: ["500000000009"], invalid: ["500000000008"] },
  {
    type: "IBAN_CODE",
    text: "transfer to {} please",
    valid: [
      "GB82 WEST 1234 5698 7654 32",
      "DE89370400440532013000",
      "FR1420041010050500013M02606",
      "NL91ABNA0417164300",
    ],
    invalid: ["GB82 WEST 1234 5698 7654 33", "DE8937040044053201300", "XX82WEST12345698765432"],
  },
  {
    type: "US_SSN",
    text: "number {} on file",
    valid: ["536-22-1234"],
    invalid: ["000-12-3456", "666-12-3456", "900-12-3456", "536-00-1234", "536-22-0000", "078-05-1120"],
  },
  { type: "US_SSN", text: "SSN {}", valid: ["536221234"], invalid: ["000123456"] },
  {
    type: "US_ITIN",
    text: "his ITIN is {}",
    valid: ["912-70-1234", "912701234"],
    invalid: ["912-69-1234", "812-70-1234"],
  },
  {
    type: "US_DRIVER_LICENSE",
    text: "my driver's license number is {}",
    valid: ["F162823540116"],
    invalid: ["expired"],
  },
  { type: "PASSPORT", text: "passport no. {}", valid: ["C01234567", "123456789"], invalid: ["renewal"] },
  { type: "UK_NHS", text: "NHS number {}", valid: ["943 476 5919", "9434765919"], invalid: ["943 476 5918"] },
  {
    type: "UK_NINO",
    text: "national insurance {}",
    valid: ["AB 12 34 56 C", "AB123456C"],
    invalid: ["GB123456C", "AB123456E"],
  },
  {
    type: "CA_SIN",
    text: "my SIN is {}",
    valid: ["130 692 544", "130692544"],
    invalid: ["130 692 545", "046 454 286"],
  },
  {
    type: "DE_TAX_ID",
    text: "Steuer-ID {}",
    valid: ["86095742719", "47036892816"],
    invalid: ["86095742718", "11111111111"],
  },
  { type: "ES_NIF", text: "DNI {}", valid: ["12345678Z", "X1234567L"], invalid: ["12345678A"] },
  { type: "FR_NIR", text: "sécurité sociale {}", valid: ["2 55 08 14 168 025 38"], invalid: ["2 55 08 14 168 025 39"] },
  { type: "IT_FISCAL_CODE", text: "codice fiscale {}", valid: ["RSSMRA85T10A562S"], invalid: ["RSSMRA85T10A562T"] },
  { type: "NL_BSN", text: "BSN {}", valid: ["111222333"], invalid: ["111222334"] },
  { type: "PL_PESEL", text: "PESEL {}", valid: ["44051401359"], invalid: ["44051401358", "44991401359"] },
  {
    type: "SE_PERSONAL_NUMBER",
    text: "personnummer {}",
    valid: ["811218-9876", "19811218-9876"],
    invalid: ["811218-9875"],
  },
  { type: "FI_PERSONAL_CODE", text: "hetu {}", valid: ["131052-308T"], invalid: ["131052-308U"] },
  {
    type: "BR_CPF",
    text: "CPF {}",
    valid: ["529.982.247-25", "52998224725"],
    invalid: ["529.982.247-26", "111.111.111-11"],
  },
  { type: "IN_AADHAAR", text: "Aadhaar {}", valid: ["2341 2341 2346"], invalid: ["2341 2341 2347", "1341 2341 2346"] },
  { type: "IN_PAN", text: "PAN {}", valid: ["AFZPK7190K"], invalid: ["AFZZK7190K"] },
  { type: "AU_TFN", text: "tax file number {}", valid: ["123 456 782"], invalid: ["123 456 783"] },
  {
    type: "SG_NRIC",
    text: "NRIC {}",
    valid: ["S1234567D", "T1234567J", "F1234567N", "G1234567X", "M1234567K"],
    invalid: ["S1234567A"],
  },
  {
    type: "IP_ADDRESS",
    text: "seen from {} twice",
    valid: ["192.0.2.17", "2001:db8::8a2e:370:7334", "fe80:0:0:0:200:f8ff:fe21:67cf"],
    invalid: ["256.1.1.1", "1.2.3", "12:30:45", "127.0.0.1"],
  },
  {
    type: "MAC_ADDRESS",
    text: "card {} is up",
    valid: ["00:1B:44:11:3A:B7", "00-1b-44-11-3a-b7"],
    invalid: ["00:1B:44:11:3A", "00:1B-44:11:3A:B7"],
  },
  {
    type: "EMAIL_ADDRESS",
    text: "write to {}.",
    valid: ["first.last+tag@sub.example.co.uk", "o'brien@example.org", "jörg@exämple.de"],
    invalid: ["@example.org", "user@localhost", "a..b@example.org"],
  },
  {
    type: "PHONE_NUMBER",
    text: "call me at {} tonight",
    valid: [
      "+1 202-555-0143",
      "(202) 555-0143",
      "202.555.0143",
      "+44 20 7946 0018",
      "01 23 45 67 89",
      "030 901820",
      "06-18/204 8524",
      "+(370) 10003551",
    ],
    invalid: ["1,000,000", "2024-01-31", "12345"],
  },
  {
    type: "CRYPTO_WALLET",
    text: "send to {} now",
    valid: [
      "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
      "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
      "0xde709f2102306220921060314715629080e2fb77",
    ],
    invalid: ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"],
  },
  {
    type: "JSON_WEB_TOKEN",
    text: "token {} leaked",
    valid: [token("eyJhbGciOiJIUzI1NiJ9.", "eyJzdWIiOiIxMjM0In0.", "dozjgNryP4J3jVmNHl0w5N")],
    invalid: ["eyJhbGciOiJIUzI1NiJ9"],
  },
  {
    type: "API_TOKEN",
    text: "it says {} there",
    valid: [
      token("AKIA", "IOSFODNN7EXAMPLE"),
      token("ghp_", "16C7e42F292c6912E7710c838347Ae178B4a"),
      token("glpat-", "x7Rq2LmZpT9sVbKcYd4H"),
      token("xoxb-", "1234567890-abcdefGHIJ"),
      token("sk_live_", "4eC39HqLyjWDarjtT1zdp7dc"),
      token("AIza", "SyD3f4g5H6j7K8l9M0n1P2q3R4s5T6u7V8w"),
      token("hf_", "aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH"),
      token("sk-ant-api03-", "Zq3xT8vB1nM5kL7jH9gF2dS4aP6oI0uY"),
      token("jvk_", "7Hq2LmZpT9sVbKcYd4Hx7Rq2LmZpT9abcdef"),
      token("npm_", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"),
    ],
    invalid: ["AKIA_IS_A_PREFIX", "ghp_short", token("sk-", "x".repeat(24))],
  },
  {
    type: "API_TOKEN",
    text: 'api_key = "{}"',
    valid: ["9f8e7d6c5b4a39281706f5e4d3c2b1a0"],
    invalid: ["your-api-key-goes-here", "aaaaaaaaaaaaaaaaaaaa", "process.env.API_KEY_1"],
  },
  {
    type: "PASSWORD",
    text: "password={}",
    valid: ["hunter2", "S3cr3t!x"],
    invalid: ["${DB_PASSWORD}", "<password>", "********"],
  },
  {
    type: "CONNECTION_STRING",
    text: "uses {} in prod",
    valid: ["postgres://app:s3cret@db.example.org:5432/main", "https://user:pa55@example.org/x"],
    invalid: ["postgres://db.example.org/main"],
  },
  {
    type: "DOMAIN_NAME",
    text: "see {}.",
    valid: ["https://example.org/a?b=c", "www.example.com"],
    invalid: ["main.py", "e.g"],
  },
];

function spansIn({ type, text }: Row, value: string): readonly string[] {
  const whole = text.replace("{}", () => value);
  return findPii(whole).flatMap((span) => (span.type === type ? [whole.slice(span.start, span.end)] : []));
}

describe.each(ROWS)("$type in “$text”", (row) => {
  it.each([...row.valid])("is found, whole and only: %s", (value) => {
    expect(spansIn(row, value)).toEqual([value]);
  });

  it.each([...row.invalid])("is no %s", (value) => {
    expect(spansIn(row, value)).toEqual([]);
  });
});
