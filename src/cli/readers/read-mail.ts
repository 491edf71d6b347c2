import PostalMime, { type Email } from "postal-mime";
import { htmlText } from "./html-text.ts";
import { type FileBytes, type ReadItem, refusal } from "./read-item.ts";
import { READ_LIMITS } from "./read-limits.ts";

/** One document per message: its text part, else its HTML part as text; the subject is the title. Attachments are left out. */
export async function readMail({ path, bytes }: FileBytes): Promise<readonly ReadItem[]> {
  return [await readMessage(bytes, { id: path })];
}

/** One document per message of a mailbox (mboxo and mboxrd, RFC 4155: a message begins with a line `From `). */
export async function* readMailbox({ path, bytes }: FileBytes): AsyncGenerator<ReadItem> {
  let record = 0;
  for (const message of messagesOf(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))) {
    record++;
    if (record > READ_LIMITS.recordsMax) return yield refusal("records_too_many", { record });
    yield await readMessage(message, { id: `${path}#${record}`, record });
  }
  if (record === 0) yield refusal("mail_malformed");
}

async function readMessage(
  bytes: Uint8Array,
  at: { readonly id: string; readonly record?: number },
): Promise<ReadItem> {
  const where = at.record === undefined ? {} : { record: at.record };
  if (bytes.length > READ_LIMITS.documentFileBytesMax) return refusal("record_too_large", where);
  let email: Email;
  try {
    email = await PostalMime.parse(withoutFromLine(bytes), { maxNestingDepth: READ_LIMITS.mailNestingMax });
  } catch {
    return refusal("mail_malformed", where);
  }
  if (email.headers.length === 0) return refusal("mail_malformed", where);
  const text = textOf(email);
  if (text === undefined) return refusal("mail_no_text", where);
  const { subject, date } = email;
  const timeMs = date === undefined ? Number.NaN : Date.parse(date);
  return {
    kind: "document",
    id: at.id,
    text,
    ...(subject === undefined || subject.trim() === "" ? {} : { title: subject.trim() }),
    ...(timeMs >= FIRST_MAIL_MS ? { occurredAt: new Date(timeMs).toISOString() } : {}),
    metadata: {},
  };
}

function textOf({ text, html }: Email): string | undefined {
  if (text !== undefined && text.trim() !== "") return text.replaceAll("\r\n", "\n").trimEnd();
  if (html === undefined || html.trim() === "") return undefined;
  const page = htmlText(html);
  return page.ok ? page.value.text : undefined;
}

/** 1971, the year of the first mail: a Date field before it is a broken clock's, and no time is better than a wrong one. */
const FIRST_MAIL_MS = Date.UTC(1971, 0);
const LINE_FEED = 10;

/** Some archives keep the mailbox's separator at the head of each message. */
function withoutFromLine(bytes: Uint8Array): Uint8Array {
  if (Buffer.from(bytes.subarray(0, 5)).toString("latin1") !== "From ") return bytes;
  const end = bytes.indexOf(LINE_FEED);
  return end === -1 ? bytes : bytes.subarray(end + 1);
}

function* messagesOf(bytes: Buffer): Generator<Uint8Array> {
  const separator = Buffer.from("\nFrom ");
  let start = bytes.subarray(0, 5).toString("latin1") === "From " ? 0 : -1;
  while (start !== -1) {
    const next = bytes.indexOf(separator, start);
    const message = bytes.subarray(start, next === -1 ? bytes.length : next + 1);
    yield Buffer.from(message.toString("latin1").replace(/^>(>*From )/gm, "$1"), "latin1");
    start = next === -1 ? -1 : next + 1;
  }
}
