import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ERASURE_PLACES } from "../../../src/lib/contract/user-erasure.ts";
import { runCli, type CliRun } from "./run-cli.ts";

const HASH = "ab".repeat(32);
const FOUND = Object.fromEntries(ERASURE_PLACES.map((place) => [place, 1]));
const PROGRESS = { done: false, erasure_id: "01M8", step: "wal", round: 1, found: FOUND };
const CERTIFICATE = {
  version: 1,
  tenant_id: "acme",
  user_sha256: HASH,
  erasure_id: "01M8",
  requested_by: "key",
  requested_at: "2026-11-25T03:00:00.000Z",
  finished_at: "2026-11-25T03:00:09.000Z",
  erased_before: "01M8",
  places: Object.fromEntries(ERASURE_PLACES.map((place) => [place, { before: 41, after: 0 }])),
  kept: [{ what: "api_keys", count: 1, why: "revoke them" }],
  sha256: HASH,
};

describe("jeeves erase-user", () => {
  let server: Server;
  let asked: string[] = [];

  beforeEach(async () => {
    asked = [];
    server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      const isDone = asked.length >= 3;
      response.writeHead(isDone ? 200 : 202, { "content-type": "application/json" });
      response.end(JSON.stringify(isDone ? CERTIFICATE : PROGRESS));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterEach(async () => {
    server.close();
    await once(server, "close");
  });

  function erase(...words: string[]): Promise<CliRun> {
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    return runCli(["erase-user", ...words, "--url", `http://127.0.0.1:${port}`, "--key", "jvk_test"]);
  }

  it("asks until all is erased, and prints the certificate", async () => {
    const ran = await erase("ann/ü", "--yes");
    expect(ran.exitCode).toBe(0);
    expect(asked).toEqual(Array.from({ length: 3 }, () => "DELETE /v1/users/ann%2F%C3%BC"));
    expect(ran.stderr).toContain(`wal: ${ERASURE_PLACES.length} found so far`);
    for (const part of ["ann/ü  erased", "documents                  41 → 0", "kept: 1 api_keys, revoke them", HASH])
      expect(ran.stdout).toContain(part);
    expect(JSON.parse((await erase("ann", "--yes", "--json")).stdout)).toEqual(CERTIFICATE);
  });

  it("erases nothing without --yes where nobody can be asked", async () => {
    const ran = await erase("ann");
    expect(ran.exitCode).toBe(2);
    expect(ran.stderr).toContain("--yes");
    expect(asked).toEqual([]);
  });
});
