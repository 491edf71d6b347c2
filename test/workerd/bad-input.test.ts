import { encode } from "@msgpack/msgpack";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { HOUR_MS } from "../../src/lib/base/durations.ts";
import { makeApiKey } from "../../src/lib/auth/api-key.ts";
import { ask, ingest, makeKey, suiteEnv } from "./support/worker.ts";

const TEXT = "We choose to go to the moon in this decade and do the other things.";
/** Of a neighbour: equal texts would be duplicates. */
const OTHER_TEXT = "Ask not what your country can do for you.";
const bytes = (text: string) => new TextEncoder().encode(text);
const documents = (...docs: object[]) => JSON.stringify({ documents: docs });
const JSON_TYPE = { "content-type": "application/json" };
const MSGPACK = { "content-type": "application/msgpack" };
const NDJSON = { "content-type": "application/x-ndjson" };

let key = "";
let boundKey = "";
beforeAll(async () => {
  key = (await makeKey("acme", ["ingest"])).key;
  boundKey = (await makeKey("acme", ["ingest"], { userId: "ann" })).key;
});

/** `{body}` without its last bytes. */
const cut = (body: Uint8Array) => body.subarray(0, body.length - 6);

describe("a request that cannot be read is refused as a whole, with its stable code", () => {
  const good = bytes(documents({ id: "a", text: TEXT }));
  const cases: [
    name: string,
    status: number,
    code: string,
    body: string | Uint8Array,
    headers: Record<string, string>,
  ][] = [
    ["malformed JSON", 400, "body_malformed", "{", JSON_TYPE],
    ["an empty body", 400, "body_malformed", "", JSON_TYPE],
    ["malformed msgpack", 400, "body_malformed", new Uint8Array([0x82, 0xa9, 0x64]), MSGPACK],
    [
      "msgpack that claims four billion documents",
      400,
      "body_malformed",
      new Uint8Array([0xdd, 0xff, 0xff, 0xff, 0xff]),
      MSGPACK,
    ],
    [
      "msgpack with something behind it",
      400,
      "body_malformed",
      new Uint8Array([...encode([{ id: "a", text: TEXT }]), 0xc0]),
      MSGPACK,
    ],
    ["truncated gzip", 400, "body_truncated", cut(gzipSync(good)), { ...JSON_TYPE, "content-encoding": "gzip" }],
    [
      "truncated zstd",
      400,
      "body_truncated",
      cut(zstdCompressSync(good)),
      { ...JSON_TYPE, "content-encoding": "zstd" },
    ],
    ["a body that is not gzip at all", 400, "body_truncated", good, { ...JSON_TYPE, "content-encoding": "gzip" }],
    ["a body that is not zstd at all", 400, "body_truncated", good, { ...JSON_TYPE, "content-encoding": "zstd" }],
    [
      "a gzip bomb",
      413,
      "body_bomb",
      gzipSync(new Uint8Array(48 * 1024 * 1024)),
      { ...JSON_TYPE, "content-encoding": "gzip" },
    ],
    [
      "a zstd bomb",
      413,
      "body_bomb",
      zstdCompressSync(new Uint8Array(48 * 1024 * 1024)),
      { ...JSON_TYPE, "content-encoding": "zstd" },
    ],
    [
      "invalid UTF-8",
      400,
      "body_not_utf8",
      new Uint8Array([...bytes('[{"id":"a","text":"'), 0xc3, 0x28, ...bytes('"}]')]),
      JSON_TYPE,
    ],
    ["deep nesting in JSON", 400, "body_too_deep", "[".repeat(100_000), JSON_TYPE],
    ["deep nesting in msgpack", 400, "body_too_deep", new Uint8Array(100_000).fill(0x91), MSGPACK],
    ["a million values", 413, "body_too_large", `[${"0,".repeat(1_000_000)}0]`, JSON_TYPE],
    [
      "1001 documents",
      413,
      "too_many_documents",
      documents(...Array.from({ length: 1001 }, (_, i) => ({ id: `${i}`, text: TEXT }))),
      JSON_TYPE,
    ],
    ["1001 lines", 413, "too_many_documents", "{}\n".repeat(1001), NDJSON],
    ["no document", 422, "no_documents", documents(), JSON_TYPE],
    ["no line", 422, "no_documents", "\n\r\n\n", NDJSON],
    ["documents that are no list", 422, "body_invalid", '{"documents":{}}', JSON_TYPE],
    ["an unknown field beside the documents", 422, "body_invalid", '{"documents":[],"tenant_id":"other"}', JSON_TYPE],
    [
      "a batch tag with a slash",
      422,
      "body_invalid",
      '{"documents":[{"id":"a","text":"b"}],"batch_tag":"a/b"}',
      JSON_TYPE,
    ],
    [
      "a batch tag in the form of a ulid",
      422,
      "body_invalid",
      '{"documents":[{"id":"a","text":"b"}],"batch_tag":"01ARZ3NDEKTSV4RRFFQ69G5FAV"}',
      JSON_TYPE,
    ],
    ["a form", 415, "media_type_unsupported", "a=b", { "content-type": "application/x-www-form-urlencoded" }],
    ["brotli", 415, "content_encoding_unsupported", good, { ...JSON_TYPE, "content-encoding": "br" }],
    ["two encodings", 415, "content_encoding_unsupported", good, { ...JSON_TYPE, "content-encoding": "gzip, gzip" }],
    [
      "an Idempotency-Key that is too long",
      422,
      "idempotency_key_invalid",
      good,
      { ...JSON_TYPE, "idempotency-key": "k".repeat(256) },
    ],
    ["a body over the limit", 413, "body_too_large", new Uint8Array(16 * 1024 * 1024 + 1), JSON_TYPE],
  ];

  it.each(cases)("%s: %i %s", async (...[, status, code, body, headers]) => {
    const reply = await ingest(key, body, headers);
    expect({ status: reply.status, code: reply.body.code }).toEqual({ status, code });
    expect(reply.headers.get("content-type")).toBe("application/problem+json");
    expect(reply.body.request_id).toBe(reply.headers.get("x-request-id"));
  });

  it("stores nothing for any of them", async () => {
    const { BUCKET } = suiteEnv();
    const before = (await BUCKET.list()).objects.length;
    for (const [, , , body, headers] of cases) await ingest(key, body, headers);
    expect((await BUCKET.list()).objects).toHaveLength(before);
  });
});

describe("a bad document is a verdict of its own; its neighbours are accepted", () => {
  const soon = new Date(Date.now() + HOUR_MS).toISOString();
  const cases: [name: string, status: string, code: string, document: string][] = [
    ["a 10 MB text", "rejected", "too_large", `{"id":"x","text":"${"a b ".repeat(2_621_440)}"}`],
    ["an empty text", "rejected", "empty_text", '{"id":"x","text":""}'],
    ["a text of blanks", "rejected", "empty_text", '{"id":"x","text":" \\n\\t\\u00a0\\u3000"}'],
    ["lone surrogates in the text", "rejected", "not_well_formed", '{"id":"x","text":"before \\ud800 after"}'],
    ["lone surrogates in the title", "rejected", "not_well_formed", `{"id":"x","text":"${TEXT}","title":"\\udfff"}`],
    [
      "lone surrogates in the metadata",
      "rejected",
      "not_well_formed",
      `{"id":"x","text":"${TEXT}","metadata":{"k":["\\ud83d"]}}`,
    ],
    ["lone surrogates in the id", "rejected", "field_invalid", `{"id":"\\ud800","text":"${TEXT}"}`],
    ["NUL bytes in the text", "rejected", "nul_bytes", '{"id":"x","text":"before \\u0000 after"}'],
    ["NUL bytes in the metadata", "rejected", "nul_bytes", `{"id":"x","text":"${TEXT}","metadata":{"k":"\\u0000"}}`],
    ["NUL bytes in the id", "rejected", "field_invalid", `{"id":"a\\u0000b","text":"${TEXT}"}`],
    ["binary data as text", "rejected", "binary", `{"id":"x","text":"${"\\u0001\\u0002ab".repeat(40)}"}`],
    [
      "a time in the future",
      "rejected",
      "occurred_at_in_future",
      `{"id":"x","text":"${TEXT}","occurred_at":"2099-01-01T00:00:00Z"}`,
    ],
    [
      "an absurd time",
      "rejected",
      "occurred_at_too_early",
      `{"id":"x","text":"${TEXT}","occurred_at":"0001-01-01T00:00:00Z"}`,
    ],
    ["a time that is none", "rejected", "field_invalid", `{"id":"x","text":"${TEXT}","occurred_at":"2026-13-45"}`],
    [
      "__proto__ as a field",
      "rejected",
      "field_unknown",
      `{"id":"x","text":"${TEXT}","__proto__":{"tenant_id":"other"}}`,
    ],
    [
      "__proto__ in the metadata",
      "rejected",
      "field_unknown",
      `{"id":"x","text":"${TEXT}","metadata":{"__proto__":{"admin":true}}}`,
    ],
    ["another tenant's id as a field", "rejected", "field_unknown", `{"id":"x","text":"${TEXT}","tenant_id":"other"}`],
    ["no id", "rejected", "field_missing", `{"text":"${TEXT}"}`],
    ["an id of 201 characters", "rejected", "field_invalid", `{"id":"${"i".repeat(201)}","text":"${TEXT}"}`],
    ["the user that is reserved", "rejected", "field_invalid", `{"id":"x","text":"${TEXT}","user_id":"*"}`],
    ["an unknown tier", "rejected", "field_invalid", `{"id":"x","text":"${TEXT}","tier":"secret"}`],
    [
      "metadata of 9 KB",
      "rejected",
      "metadata_too_large",
      `{"id":"x","text":"${TEXT}","metadata":{"k":"${"v".repeat(9 * 1024)}"}}`,
    ],
    ["nested metadata", "rejected", "field_invalid", `{"id":"x","text":"${TEXT}","metadata":{"k":{"l":1}}}`],
    ["a number in the place of a document", "rejected", "document_not_an_object", "7"],
    ["a text of one word over and over", "quarantined", "repeated_word", `{"id":"x","text":"${"buy ".repeat(200)}"}`],
    ["a base64 blob", "quarantined", "encoded_blob", `{"id":"x","text":"${"QUJDREVGR0hJSktM".repeat(40)}"}`],
    ["a time some minutes ahead of our clock", "accepted", "", `{"id":"x","text":"${TEXT}","occurred_at":"${soon}"}`],
    ["constructor as a metadata key", "accepted", "", `{"id":"x","text":"${TEXT}","metadata":{"constructor":"Acme"}}`],
  ];

  it.each(cases)("%s: %s %s", async (_name, status, code, document) => {
    const reply = await ingest(key, `{"documents":[${document},{"id":"neighbour","text":"${OTHER_TEXT}"}]}`);
    expect(reply.status).toBe(202);
    const [first, neighbour] = reply.body.receipts;
    expect({ status: first?.status, code: first?.reasons[0]?.code ?? "" }).toEqual({ status, code });
    expect(neighbour).toMatchObject({ index: 1, status: "accepted", document_id: "neighbour" });
  });

  it("the second of two documents with one id is a duplicate, of another tier or user it is not", async () => {
    const same = { id: "same", text: TEXT };
    const reply = await ingest(
      key,
      documents(same, { ...same, text: "other" }, { ...same, tier: "event" }, { ...same, user_id: "bob" }),
    );
    expect(reply.body.receipts.map((receipt) => receipt.reasons[0]?.code ?? receipt.status)).toEqual([
      "accepted",
      "duplicate_id_in_request",
      "accepted",
      "accepted",
    ]);
  });

  it("a bad NDJSON line is a verdict for that line, also when it is not UTF-8 or too deep", async () => {
    const good = JSON.stringify({ id: "good", text: TEXT });
    const body = new Uint8Array([
      ...bytes(`${good}\n{bad\n`),
      0xff,
      10,
      ...bytes(`${'{"a":'.repeat(9)}1${"}".repeat(9)}\r\n\n${JSON.stringify({ id: "last", text: OTHER_TEXT })}`),
    ]);
    const reply = await ingest(key, body, NDJSON);
    expect(reply.body.receipts.map((receipt) => receipt.reasons[0]?.code ?? receipt.document_id)).toEqual([
      "good",
      "line_malformed",
      "line_not_utf8",
      "line_too_deep",
      "last",
    ]);
  });

  it("a msgpack document with binary, invalid UTF-8 or __proto__ is a verdict for that document", async () => {
    const entry = (name: string, value: number[]) => [0xa0 | name.length, ...bytes(name), ...value];
    const text = (value: string) => [0xa0 | value.length, ...bytes(value)];
    const body = new Uint8Array([
      0x94,
      0x82,
      ...entry("id", text("a")),
      ...entry("text", text("hello")),
      0x82,
      ...entry("id", text("b")),
      ...entry("text", [0xa2, 0xc3, 0x28]),
      0x82,
      ...entry("id", text("c")),
      ...entry("text", [0xc4, 1, 7]),
      0x83,
      ...entry("id", text("d")),
      ...entry("text", text("hello")),
      ...entry("__proto__", [0x80]),
    ]);
    const reply = await ingest(key, body, MSGPACK);
    expect(reply.body.receipts.map((receipt) => receipt.reasons[0]?.code ?? receipt.status)).toEqual([
      "accepted",
      "document_not_utf8",
      "document_malformed",
      "document_malformed",
    ]);
    expect(Object.hasOwn(Object.prototype, "tenant_id")).toBe(false);
  });

  it("another user's document is refused to a key bound to a user, and its own is given that user", async () => {
    const reply = await ingest(
      boundKey,
      documents(
        { id: "a", text: TEXT },
        { id: "b", text: OTHER_TEXT, user_id: "ann" },
        { id: "c", text: TEXT, user_id: "bob" },
      ),
    );
    expect(reply.body.receipts.map((receipt) => receipt.reasons[0]?.code ?? receipt.status)).toEqual([
      "accepted",
      "accepted",
      "user_forbidden",
    ]);
  });

  it("names where and why, never what", async () => {
    const secret = "s3cr3t-value";
    const reply = await ingest(
      key,
      documents({
        id: "a",
        text: 5,
        [secret]: 1,
        metadata: { [`${secret} key`]: { deep: secret } },
        title: secret.repeat(90),
      }),
    );
    expect(reply.body.receipts[0]?.status).toBe("rejected");
    expect(reply.text).not.toContain(secret);
    expect(reply.body.receipts[0]?.reasons.map((reason) => reason.detail)).toContain("/metadata/*");
  });
});

describe("a request without a right to be here", () => {
  const post = (authorization: string | undefined) =>
    ask("/v1/documents", {
      method: "POST",
      body: documents({ id: "a", text: TEXT }),
      headers: { ...JSON_TYPE, ...(authorization === undefined ? {} : { authorization }) },
    });

  it.each([
    ["no key", "unauthenticated", () => undefined],
    ["another scheme", "unauthenticated", () => "Basic YTpi"],
    ["a wrong checksum", "key_malformed", () => `Bearer ${key.slice(0, -1)}${key.endsWith("A") ? "B" : "A"}`],
    ["garbage", "key_malformed", () => "Bearer jvk_x"],
    ["a key that nobody made", "key_unknown", () => `Bearer ${makeApiKey((b) => void crypto.getRandomValues(b))}`],
  ])("%s: 401 %s", async (_name, code, authorization) => {
    const reply = await post(authorization());
    expect({ status: reply.status, code: reply.body.code }).toEqual({ status: 401, code });
    expect(reply.headers.get("www-authenticate")).toContain("Bearer");
  });

  it("a key without the scope: 403 scope_missing", async () => {
    const { key: searchKey } = await makeKey("acme", ["search"]);
    expect((await post(`Bearer ${searchKey}`)).json).toMatchObject({ status: 403, code: "scope_missing" });
  });

  it("an expired key: 401 key_expired", async () => {
    const { key: expired } = await makeKey("acme", ["ingest"], { expiresAtMs: Date.now() - 1000 });
    expect((await post(`Bearer ${expired}`)).json).toMatchObject({ status: 401, code: "key_expired" });
  });
});
