/** What goes through the system while it is watched: every kind of input, and a few faults. */
import { z } from "zod";
import { ApiClient } from "../../../src/cli/api-client.ts";
import { acceptReplySchema } from "../../../src/lib/contract/accept-reply.ts";
import { framesReplySchema } from "../../../src/lib/contract/session.ts";
import { searchReplySchema } from "../../../src/lib/contract/search.ts";
import type { System } from "../../e2e/support/system.ts";

const openedSchema = z.object({ session_id: z.string(), write_token: z.string() });
const MOON = "We choose to go to the moon in this decade, not because it is easy, but because it is hard.";

export interface Load {
  /** One second of it: documents of two sources, one of them empty, one with an address; a search; a turn of a conversation. */
  round(): Promise<void>;
  /** Seals the conversation. */
  seal(): Promise<void>;
}

export async function openLoad(system: System): Promise<Load> {
  const admin = new ApiClient(system.url, await system.newKey("watched"));
  const policy = { pii: { actions: { EMAIL_ADDRESS: "redact" } } };
  await admin.response({ method: "PUT", path: "/v1/admin/policy", json: policy });
  // A key brings the policy as it was when the key was first used.
  const api = new ApiClient(system.url, await system.newKey("watched"));
  const session = await api.json(openedSchema, { method: "POST", path: "/v1/sessions", json: { user_id: "ann" } });
  const talk = `/v1/sessions/${session.session_id}`;
  const writing = new ApiClient(system.url, session.write_token);
  let turn = 0;
  return {
    async round() {
      turn += 1;
      const documents = [
        { id: `moon-${turn}`, text: `${MOON} Attempt ${turn}.`, source: "speeches" },
        { id: `again-${turn}`, text: `${MOON} Attempt 1.`, source: "speeches" },
        { id: `mail-${turn}`, text: `Mail ${turn}: write to ann.miller@example.com about the rocket.`, source: "mail" },
        { id: `empty-${turn}`, text: " ", source: "mail" },
      ];
      await api.json(acceptReplySchema, { method: "POST", path: "/v1/documents", json: { documents } });
      const search = { query: `rocket to the moon ${turn}`, k: 3, neighbours: 1 };
      await api.json(searchReplySchema, { method: "POST", path: "/v1/search", json: search });
      const text = `This is turn ${turn} of what we said about boats and the sea.`;
      const frame = { seq: turn, at_ms: Date.now(), role: "user", speaker: "Ann", text };
      const body = { mediaType: "application/x-ndjson", text: JSON.stringify(frame) };
      await writing.json(framesReplySchema, { method: "POST", path: `${talk}/frames`, body });
    },
    async seal() {
      await writing.response({ method: "POST", path: `${talk}/seal` });
    },
  };
}
