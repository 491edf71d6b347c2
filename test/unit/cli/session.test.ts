import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { parseMessage } from "../../../src/cli/session/parse-message.ts";
import { frameSchema, type FrameReply } from "../../../src/lib/contract/session.ts";
import { openRequestSchema } from "../../../src/lib/contract/session-opening.ts";
import { runCli, type CliRun } from "./run-cli.ts";

const DEFAULTS = { role: "user", speaker: "Ann", nowMs: 1_000 } as const;

describe("a line of the input of jeeves session send", () => {
  it("is a text, or an object with what it says itself", () => {
    expect(parseMessage("  \r", DEFAULTS)).toBeUndefined();
    expect(parseMessage("Good morning.\r", DEFAULTS)).toEqual({
      ok: true,
      value: { text: "Good morning.", role: "user", speaker: "Ann", at_ms: 1_000 },
    });
    expect(parseMessage('{"text": "{}", "role": "tool", "seq": 7, "at_ms": 5}', DEFAULTS)).toEqual({
      ok: true,
      value: { text: "{}", role: "tool", speaker: "Ann", at_ms: 5, seq: 7 },
    });
  });

  it("that the service would refuse is refused with the reason, so that it costs no seq", () => {
    for (const line of [
      '{"text": 1}',
      '{"role": "user"}',
      '{"text": "a", "user": "bob"}',
      '{"text": "a"',
      "x".repeat(300_000),
    ])
      expect(parseMessage(line, DEFAULTS)).toMatchObject({ ok: false });
  });
});

/** A service whose every second request of frames is taken and then cut off, and whose lease is over once. */
class FlakyService {
  readonly stored = new Map<number, string>();
  readonly opened: unknown[] = [];
  requests = 0;
  #isLeaseOver = true;
  #waits = 1;
  readonly server: Server = createServer((request, response) => void this.#serve(request, response));

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += String(chunk);
    const answer = (status: number, value: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
    };
    if (request.url === "/v1/sessions") {
      const asked = openRequestSchema.parse(JSON.parse(body));
      this.opened.push(asked);
      if (asked.wait && this.#waits-- > 0)
        answer(202, { session_id: "s", ticket: 4, position: 2, retry_after_seconds: 1 });
      else
        answer(201, {
          session_id: "s",
          user_id: "ann",
          write_token: "jst_1.a.b",
          token_expires_at: "2026-11-26T00:00:00Z",
          lease_expires_at: "2026-11-25T00:15:00Z",
          next_seq: this.stored.size + 1,
        });
      return;
    }
    this.requests += 1;
    expect(request.headers.authorization).toBe("Bearer jst_1.a.b");
    if (this.requests === 1 && this.#isLeaseOver) {
      this.#isLeaseOver = false;
      answer(409, { code: "session_closed" });
      return;
    }
    const frames = body.split("\n").map((line) => this.#store(line));
    if (this.requests % 2 === 0) request.socket.destroy();
    else answer(200, { ack: this.stored.size, token: null, frames });
  }

  #store(line: string): FrameReply {
    const frame = frameSchema.parse(JSON.parse(line));
    const isRepeat = this.stored.get(frame.seq) === frame.text;
    this.stored.set(frame.seq, frame.text);
    return { seq: frame.seq, status: isRepeat ? "repeated" : "appended" };
  }
}

describe("jeeves session", () => {
  let service: FlakyService;
  let url: string;
  beforeEach(async () => {
    service = new FlakyService();
    service.server.listen(0, "127.0.0.1");
    await once(service.server, "listening");
    const address = z.object({ port: z.int() }).parse(service.server.address());
    url = `http://127.0.0.1:${address.port}`;
  });
  afterEach(() => void service.server.close());

  const cli = (words: readonly string[], stdin = ""): Promise<CliRun> =>
    runCli(["session", ...words], { stdin, env: { JEEVES_URL: url, JEEVES_KEY: "jvk_test" } });

  it("sends every line once over a lease that ended, a cut connection and a place in the line", async () => {
    const { exitCode, stdout, stderr } = await cli(
      ["send", "s", "--user", "ann", "--wait"],
      'one\n\ntwo\n{"text":"three"}',
    );
    expect(exitCode, stderr).toBe(0);
    expect([...service.stored]).toEqual([
      [1, "one"],
      [2, "two"],
      [3, "three"],
    ]);
    expect(service.requests).toBeGreaterThan(2);
    expect(stdout).toContain("next seq 4");
    expect(stderr).toContain("waiting for a place: 1 before this one");
    expect(service.opened).toHaveLength(3);
  });

  it("says which line it could not send, sends the others, and fails", async () => {
    const { exitCode, stdout } = await cli(["send", "s", "--json"], 'one\n{"txt": 1}\ntwo');
    expect(exitCode).toBe(1);
    const lines = stdout
      .trim()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect(lines[0]).toMatchObject({ status: "refused", code: "line_invalid" });
    expect(lines.at(-1)).toMatchObject({ session_id: "s", refused: 1, ack: 2 });
  });

  it("explains itself, and what was wrong in a call", async () => {
    expect((await cli(["--help"])).stdout).toContain("echo 'My sister Ada lives in Graz.' | jeeves session send");
    const unknown = await cli(["opn"]);
    expect([unknown.exitCode, unknown.stderr]).toEqual([2, expect.stringContaining("session takes one of open, send")]);
    expect((await cli(["status"])).stderr).toContain("session status takes the id of a session");
  });
});
