import { createServer, type RequestListener, type Server } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { utf8Bytes } from "../../src/lib/base/bytes.ts";
import { HOUR_MS } from "../../src/lib/base/durations.ts";
import { S3Client } from "../../src/lib/s3/s3-client.ts";
import type { S3Access, S3Ports } from "../../src/lib/s3/s3-request.ts";
import { expectOk } from "../support/database.ts";
import { openS3Server, type S3Server } from "../support/s3-server.ts";

const MIB = 1024 * 1024;
const PLAIN = { contentType: "application/octet-stream", metadata: {} };

/** Waits are told, not waited for. */
function ports(waits: number[] = []): S3Ports {
  return {
    fetch: (url, init) => fetch(url, init),
    clock: Date.now,
    random: () => 0.5,
    sleep: async (delayMs) => void waits.push(delayMs),
  };
}

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(utf8Bytes(text));

interface TestedServer {
  readonly name: string;
  readonly open: () => Promise<Pick<S3Server, "access" | "close">>;
}

/** Another server with an empty bucket, where the environment names one: docs/sync.md. */
function namedServer(): readonly TestedServer[] {
  const { S3_ENDPOINT: endpoint, S3_BUCKET: bucket, S3_REGION: region = "us-east-1" } = process.env;
  const { S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = process.env;
  if (endpoint === undefined || bucket === undefined || accessKeyId === undefined || secretAccessKey === undefined)
    return [];
  const access = { endpoint, bucket, region, accessKeyId, secretAccessKey };
  return [{ name: endpoint, open: async () => ({ access, close: async () => undefined }) }];
}

const tested: readonly TestedServer[] = [{ name: "Miniflare's", open: openS3Server }, ...namedServer()];

describe.each(tested)("the client against a real S3 endpoint, $name", ({ open }) => {
  let server: Pick<S3Server, "access" | "close">;
  let client: S3Client;
  beforeAll(async () => {
    server = await open();
    client = new S3Client(server.access, ports());
  });
  afterAll(() => server?.close());

  it("puts, describes, reads a range of, lists and deletes an object, whatever stands in its key", async () => {
    const keys = ["a b+c&d/é (1)!'*.bin", "segments/t/ann%40x.org/%E4/1.seg", 'q"<x>~', "日本/🙂", "z"];
    for (const key of keys) {
      const metadata = { jeeves: "abc.DEF-_=" };
      expectOk(await client.put(key, bytesOf(`content of ${key}`), { contentType: "text/plain", metadata }));
      const head = expectOk(await client.head(key));
      expect(head).toMatchObject({ sizeBytes: utf8Bytes(`content of ${key}`).length, metadata });
      expect(expectOk(await client.get(key, { offset: 8, length: 2 }))).toEqual(bytesOf("of"));
    }
    const listed = expectOk(await client.list({ startAfter: "" }));
    expect(listed.objects.map(({ key }) => key)).toEqual(
      keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    );
    const first = expectOk(await client.list({ startAfter: "", keysMax: 2 }));
    expect(first).toMatchObject({ isTruncated: true, objects: listed.objects.slice(0, 2) });
    const rest = expectOk(await client.list({ startAfter: first.objects[1]?.key ?? "" }));
    expect(rest).toEqual({ isTruncated: false, objects: listed.objects.slice(2) });
    for (const key of keys) expectOk(await client.delete(key));
    expectOk(await client.delete("z"));
    expect(expectOk(await client.list({ startAfter: "" })).objects).toEqual([]);
    expect(expectOk(await client.head("z"))).toBeNull();
  });

  it("makes one object of parts, which nobody sees before; an upload that was given up is gone", async () => {
    const parts = [new Uint8Array(5 * MIB).fill(1), new Uint8Array(5 * MIB).fill(2), new Uint8Array(7).fill(3)];
    const upload = expectOk(await client.createUpload("large", { ...PLAIN, metadata: { m: "1" } }));
    const etags: string[] = [];
    for (const [index, part] of parts.entries())
      etags.push(expectOk(await client.uploadPart(upload, index + 1, part)).etag);
    expect(expectOk(await client.head("large"))).toBeNull();
    expectOk(await client.completeUpload(upload, etags));
    expect(expectOk(await client.head("large"))).toMatchObject({ sizeBytes: 10 * MIB + 7, metadata: { m: "1" } });
    expect(expectOk(await client.get("large", { offset: 10 * MIB - 1, length: 8 }))).toEqual(
      Uint8Array.from([2, 3, 3, 3, 3, 3, 3, 3]),
    );
    // Some servers take a repetition for what it is, others know no such upload any more.
    const repeated = await client.completeUpload(upload, etags);
    expect(repeated.ok ? "completed" : repeated.error.code).toMatch(/^(completed|s3_upload_missing)$/);
    const other = expectOk(await client.createUpload("other", PLAIN));
    expectOk(await client.abortUpload(other));
    expectOk(await client.abortUpload(other));
    expect(await client.uploadPart(other, 1, new Uint8Array(9))).toMatchObject({ ok: false });
  });

  it("names wrong keys, a missing bucket, a missing object and an object that is shorter than it was said to be", async () => {
    const put = (access: Partial<S3Access>) =>
      new S3Client({ ...server.access, ...access }, ports()).put("x", new Uint8Array(1), PLAIN);
    expect(await put({ secretAccessKey: "wrong" })).toMatchObject({
      error: { code: "s3_credentials_refused", s3Code: "SignatureDoesNotMatch" },
    });
    expect(await put({ accessKeyId: "wrong" })).toMatchObject({ error: { code: "s3_credentials_refused" } });
    expect(await put({ bucket: "nowhere" })).toMatchObject({ error: { code: "s3_bucket_missing" } });
    const hourAgo = new S3Client(server.access, { ...ports(), clock: () => Date.now() - HOUR_MS });
    expect(await hourAgo.head("x")).toMatchObject({ error: { status: 403 } });
    expect(await hourAgo.list({ startAfter: "" })).toMatchObject({ error: { code: "s3_clock_skewed" } });
    expect(await client.get("none", { offset: 0, length: 1 })).toMatchObject({ error: { code: "s3_not_found" } });
    expectOk(await client.put("short", new Uint8Array(10), PLAIN));
    expect(await client.get("short", { offset: 4, length: 7 })).toMatchObject({ error: { code: "s3_truncated" } });
    expect(await client.get("short", { offset: 10, length: 1 })).toMatchObject({ error: { code: "s3_truncated" } });
    for (const key of ["short", "large"]) expectOk(await client.delete(key));
  });

  it("is refused by the server where the bytes change on their way", async () => {
    const damaging: S3Ports["fetch"] = (url, init) => fetch(url, { ...init, body: bytesOf("other") });
    const damaged = new S3Client(server.access, { ...ports(), fetch: damaging });
    expect(await damaged.put("hash", bytesOf("right"), PLAIN)).toMatchObject({ error: { code: "s3_hash_mismatch" } });
    expect(expectOk(await client.head("hash"))).toBeNull();
  });
});

describe("the client against a server that fails", () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  async function clientOf(listener: RequestListener, waits: number[] = []): Promise<S3Client> {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const keys = { bucket: "b", region: "auto", accessKeyId: "id", secretAccessKey: "very-secret" };
    return new S3Client({ ...keys, endpoint: `http://127.0.0.1:${address.port}/` }, ports(waits));
  }

  it("waits longer each time it is told to slow down, and gives up by name", async () => {
    const waits: number[] = [];
    let count = 0;
    const client = await clientOf((_, response) => {
      count += 1;
      response.writeHead(503).end("<Error><Code>SlowDown</Code><Message>Reduce your request rate</Message></Error>");
    }, waits);
    const error = { code: "s3_slow_down", status: 503, s3Code: "SlowDown" };
    expect(await client.put("k", new Uint8Array(3), PLAIN)).toEqual({ ok: false, error });
    expect(count).toBe(6);
    expect(waits).toEqual([125, 250, 500, 1_000, 2_000]);
  });

  it("asks again for a body that breaks off, and for a reply that never came", async () => {
    let count = 0;
    const client = await clientOf((request, response) => {
      count += 1;
      if (count === 1) return void request.socket.destroy();
      response.writeHead(206, { "content-length": "4" });
      if (count > 2) return void response.end("abcd");
      response.write("ab", () => request.socket.destroy());
    });
    expect(expectOk(await client.get("k", { offset: 0, length: 4 }))).toEqual(bytesOf("abcd"));
    expect(count).toBe(3);
  });

  it("names a connection that is cut every time", async () => {
    const client = await clientOf((request) => void request.socket.destroy());
    expect(await client.head("k")).toEqual({ ok: false, error: { code: "s3_connection_lost" } });
  });

  it("takes a reply of 200 that ends in an error for the error that it is", async () => {
    let count = 0;
    const client = await clientOf((_, response) => {
      count += 1;
      response.end(
        `<?xml version="1.0"?><Error><Code>${count === 1 ? "InternalError" : "NoSuchUpload"}</Code></Error>`,
      );
    });
    expect(await client.completeUpload({ key: "k", uploadId: "u" }, ["e"])).toMatchObject({
      error: { code: "s3_upload_missing" },
    });
    expect(count).toBe(2);
  });

  it("does not repeat what no repeating helps, follows no redirect, and shows no secret", async () => {
    let count = 0;
    const client = await clientOf((request, response) => {
      count += 1;
      const quoted = `<Error><Code>AccessDenied</Code><StringToSign>${String(request.headers["authorization"])}</StringToSign></Error>`;
      if (request.method === "DELETE") response.writeHead(301, { location: "http://127.0.0.1:9/" }).end();
      else response.writeHead(403).end(quoted);
    });
    const refused = await client.list({ startAfter: "" });
    const error = { code: "s3_credentials_refused", status: 403, s3Code: "AccessDenied" };
    expect(refused).toEqual({ ok: false, error });
    expect(await client.delete("k")).toEqual({ ok: false, error: { code: "s3_refused", status: 301 } });
    expect(count).toBe(2);
    expect(JSON.stringify(client)).not.toContain("very-secret");
  });

  it("believes no list that it cannot read", async () => {
    for (const xml of [
      "",
      "<html></html>",
      "<ListBucketResult><IsTruncated>maybe</IsTruncated></ListBucketResult>",
      "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>k</Key><Size>x</Size></Contents></ListBucketResult>",
      `<ListBucketResult>${" ".repeat(9 * MIB)}<IsTruncated>false</IsTruncated></ListBucketResult>`,
    ]) {
      const client = await clientOf((_, response) => response.end(xml));
      expect(await client.list({ startAfter: "" })).toEqual({ ok: false, error: { code: "s3_reply_invalid" } });
    }
  });
});
