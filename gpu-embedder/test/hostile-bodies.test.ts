import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { post, testServer, type TestServer } from "./test-server.ts";

/** Milliseconds for a refusal, on a busy machine too: a schema that lists every wrong item takes ten times that. */
const REFUSAL_MS_MAX = 2_000;

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.stop());

const anyError = z.object({
  error: z.union([z.object({ code: z.string() }), z.string()]),
  code: z.string().optional(),
});

async function refused(path: string, body: string | Uint8Array<ArrayBuffer>, headers = {}): Promise<[number, string]> {
  const given = { "content-type": "application/json", ...headers };
  const response = await fetch(server.url + path, { method: "POST", headers: given, body });
  const { error, code } = anyError.parse(await response.json());
  return [response.status, typeof error === "string" ? (code ?? "") : error.code];
}

describe.each([
  ["/v1/embeddings", "input"],
  ["/embed", "inputs"],
])("POST %s", (path, field) => {
  test.each<[string, string | Uint8Array<ArrayBuffer>, number, string]>([
    ["bytes that are not UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), 400, "invalid_json"],
    ["brackets four million deep", "[".repeat(4_000_000), 400, "invalid_json"],
    ["inputs nested deeply", `{"${field}":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, 400, "invalid_json"],
    ["inputs nested a little", `{"${field}":[[["a"]]]}`, 422, "invalid_request"],
    ["a million nulls", `{"${field}":[${"null,".repeat(1_000_000)}null]}`, 422, "invalid_request"],
    ["a million fractions", `{"${field}":[${"0.5,".repeat(1_000_000)}1]}`, 422, "invalid_request"],
    ["one wrong among a million ids", `{"${field}":[[${"1,".repeat(1_000_000)}"a"]]}`, 422, "invalid_request"],
    ["a million token ids", `{"${field}":[${"7,".repeat(1_000_000)}7]}`, 413, "text_too_large"],
    ["an id beyond every vocabulary", `{"${field}":[9007199254740993]}`, 422, "invalid_request"],
    ["an id beyond 32 bits", `{"${field}":[4294967296]}`, 422, "token_id_unknown"],
    ["a prototype in the body", `{"__proto__":{"${field}":"a"}}`, 422, "invalid_request"],
    ["a string as a flag", `{"${field}":"a","truncate":"yes"}`, 422, "invalid_request"],
    ["an unknown direction", `{"${field}":"a","truncation_direction":"up"}`, 422, "invalid_request"],
    ["an unknown prompt", `{"${field}":"a","prompt_name":"poem"}`, 422, "prompt_unknown"],
    ["a number as the whole body", "17", 422, "invalid_request"],
  ])("refuses %s, and soon", async (_what, body, status, code) => {
    const startMs = performance.now();
    expect(await refused(path, body)).toEqual([status, code]);
    expect(performance.now() - startMs).toBeLessThan(REFUSAL_MS_MAX);
  });

  test("refuses other media types and compressed bodies", async () => {
    const body = JSON.stringify({ [field]: "a" });
    const unsupported = [415, "unsupported_media_type"];
    expect(await refused(path, body, { "content-type": "text/plain" })).toEqual(unsupported);
    expect(await refused(path, body, { "content-type": "application/x-www-form-urlencoded" })).toEqual(unsupported);
    expect(await refused(path, new Uint8Array(gzipSync(body)), { "content-encoding": "gzip" })).toEqual(unsupported);
  });

  test("takes a byte order mark, a charset, nulls for options, unknown fields, and the last of duplicate keys", async () => {
    const charset = { "content-type": "application/json; charset=utf-8" };
    const nulls = `"truncate":null,"dimensions":null,"truncation_direction":null,"prompt_name":null`;
    for (const body of [
      `\ufeff{"${field}":"a"}`,
      `{"${field}":"a",${nulls}}`,
      `{"${field}":"a","a_field_of_next_year":{"deep":[1]}}`,
      `{"${field}":[null],"${field}":"a"}`,
      `{"${field}":["a",[7592]]}`,
    ]) {
      expect((await post(server.url + path, body, charset)).status).toBe(200);
    }
  });

  test("a text or token ids over the limit are refused with index and count, or cut on the side that is asked for", async () => {
    const ids = Array.from({ length: 300 }, (_, index) => 2000 + index);
    for (const long of ["word ".repeat(300), ids]) {
      const inputs = ["fine", long];
      const refusal: unknown = await (await post(server.url + path, { [field]: inputs })).json();
      expect(JSON.stringify(refusal)).toContain('"inputs":[{"index":1,"token_count":302}],"max_input_length":256');
    }
    const vectorsOf = async (body: object): Promise<[string | null, string]> => {
      const response = await post(server.url + path, { [field]: ids, ...body });
      expect(response.status).toBe(200);
      const text = await response.text();
      return [response.headers.get("x-embed-truncated"), /\[(-?\d[^\]]*)\]/u.exec(text)?.[1] ?? ""];
    };
    const right = await vectorsOf({ truncate: true });
    const left = await vectorsOf({ truncate: true, truncation_direction: "left" });
    expect(right).toEqual(["0", (await vectorsOf({ [field]: ids.slice(0, 254) }))[1]]);
    expect(left).toEqual(["0", (await vectorsOf({ [field]: ids.slice(-254) }))[1]]);
  });
});

test("the cut inputs are told as ranges, which fit in a header however many they are", async () => {
  const inputs = Array.from({ length: 12 }, (_, index) => (index === 3 ? "short" : "word ".repeat(300)));
  const response = await post(`${server.url}/embed`, { inputs, truncate: true });
  expect(response.headers.get("x-embed-truncated")).toBe("0-2,4-11");
});

test("x-compute-characters counts code points, not UTF-16 units", async () => {
  const response = await post(`${server.url}/embed`, { inputs: ["a😀", "\ud800b"] });
  expect(response.headers.get("x-compute-characters")).toBe("4");
});
