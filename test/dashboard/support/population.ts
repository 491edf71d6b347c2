/** What the pages of the tests show: letters, a text that tries to be markup, one that the gate holds back, a conversation. */
import { z } from "zod";

const HARBOUR =
  "The harbour master wrote down every ship that came in that winter, its cargo and its crew, and the letters tell how the ice kept most of them for weeks. ";

export const MARKUP = {
  id: "markup",
  title: `<b>bold</b><script>window.injected = "title"</script>`,
  source: `<i onmouseover="window.injected='source'">evil</i>`,
  text: `<img src=x onerror="window.injected='text'"> <script>window.injected = 'script'</script> This text tries to be markup in a harbour of danger, and has to be shown as the words that it is and as nothing else at all.`,
};

const DOCUMENTS = [
  ...Array.from({ length: 12 }, (_, index) => ({
    id: `letter-${index}`,
    title: `Letter ${index}`,
    source: "letters",
    text: `${HARBOUR.repeat(2)}Entry number ${index} speaks of vessel ${index * 7} and of its captain ${"ABCDEFGHIJKL".charAt(index)}.`,
  })),
  { id: "noise-1", source: "chat", text: "aaaa bbbb aaaa bbbb ".repeat(60) },
  { id: "noise-2", source: "chat", text: "cccc dddd cccc dddd ".repeat(60) },
  MARKUP,
];

export const BATCH = "letters-1";

type Ask = (path: string, body: unknown) => Promise<unknown>;

/** Sends the documents as one batch and waits until each is searchable. */
export async function populate(url: string, key: string, batchTag = BATCH): Promise<void> {
  const ask = askAs(url, key);
  // Each batch is of letters of its own: what came before would be a duplicate.
  const documents = DOCUMENTS.map((each) => ({
    ...each,
    id: batchTag === BATCH ? each.id : `${batchTag}-${each.id}`,
    text: batchTag === BATCH ? each.text : `${each.text} Copied for ${batchTag}.`,
  }));
  const { token } = tokenSchema.parse(await ask("/v1/documents", { documents, batch_tag: batchTag }));
  await ask("/v1/search", { query: "harbour", min_token: token, wait_ms: 20_000 });
}

const tokenSchema = z.object({ token: z.string() });

export const TALK = [
  "We moored beside the old lighthouse.",
  "The pilot would not leave before dawn.",
  "Who pays the harbour dues?",
];

/** A short conversation, sealed: its segment is an artifact. */
export async function talk(url: string, key: string): Promise<void> {
  const ask = askAs(url, key);
  const opened = openedSchema.parse(await ask("/v1/sessions", { user_id: "ann" }));
  const frames = TALK.map((text, index) => ({
    seq: index + 1,
    at_ms: Date.UTC(2026, 9, 1, 12, index),
    role: "user",
    speaker: "Ann",
    text,
  }));
  const path = `/v1/sessions/${opened.session_id}`;
  const asOwner = askAs(url, opened.write_token);
  await asOwner(`${path}/frames`, frames.map((frame) => JSON.stringify(frame)).join("\n"));
  await asOwner(`${path}/seal`, {});
}

const openedSchema = z.object({ session_id: z.string(), write_token: z.string() });

export function askAs(url: string, key: string): Ask {
  return async (path, body) => {
    const response = await fetch(new URL(path, url), {
      method: "POST",
      headers: {
        authorization: `Bearer ${key}`,
        "content-type": typeof body === "string" ? "application/x-ndjson" : "application/json",
      },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
}
