import { z } from "zod";
import { LIMITS } from "../../lib/base/limits.ts";
import { err, ok, type Result } from "../../lib/base/result.ts";
import { frameSchema, type Frame, type ROLES } from "../../lib/contract/session.ts";

/** A line before it has its seq; a line of JSON may bring one. */
export type Message = Omit<Frame, "seq"> & { readonly seq?: number | undefined };

/** What a line leaves out. */
export interface MessageDefaults {
  readonly role: (typeof ROLES)[number];
  readonly speaker: string | undefined;
  readonly nowMs: number;
}

const lineSchema = frameSchema.partial({ seq: true, at_ms: true, role: true });

/**
 * One line of the input: a JSON object with at least `text`, or the text itself. What the service would refuse is refused here, so that it costs no seq.
 * Undefined for a blank line.
 */
export function parseMessage(
  line: string,
  { role, speaker, nowMs }: MessageDefaults,
): Result<Message, string> | undefined {
  const text = line.trim();
  if (text === "") return undefined;
  if (Buffer.byteLength(text) > LIMITS.frameBytesMax) return err(`longer than ${LIMITS.frameBytesMax} bytes`);
  const unsaid = speaker === undefined ? {} : { speaker };
  if (!text.startsWith("{")) return ok({ ...unsaid, role, at_ms: nowMs, text });
  const parsed = lineSchema.safeParse(jsonOf(text));
  if (parsed.success) {
    const { role: own = role, at_ms: atMs = nowMs, ...said } = parsed.data;
    return ok({ ...unsaid, ...said, role: own, at_ms: atMs });
  }
  return err(z.prettifyError(parsed.error).split("\n", 1)[0]?.replace(/^✖ /, "") ?? "not a message");
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
