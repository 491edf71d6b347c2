import { describe, expect, it } from "vitest";
import { askLog } from "../../../src/lib/flows/sessions/ask-log.ts";

describe("asking the log of a session", () => {
  it("hands its answer on", async () => {
    const lines: string[] = [];
    const log = { error: (event: string): void => void lines.push(event) };
    expect(await askLog({ log }, async () => 7)).toEqual({ ok: true, value: 7 });
    expect(lines).toEqual([]);
  });

  it("says that sessions are unavailable when the object fails the call, and logs it", async () => {
    const lines: string[] = [];
    const log = { error: (event: string): void => void lines.push(event) };
    const moved = askLog({ log }, () =>
      Promise.reject(new Error("Durable Object reset because its code was updated.")),
    );
    expect(await moved).toEqual({ ok: false, error: { code: "sessions_unavailable" } });
    expect(lines).toEqual(["session_object_unreachable"]);
  });
});
