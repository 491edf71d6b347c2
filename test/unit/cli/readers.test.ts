import { describe, expect, it } from "vitest";
import { decodeText } from "../../../src/cli/readers/decode-text.ts";
import { htmlText } from "../../../src/cli/readers/html-text.ts";
import { type FileFormat, readFileItems } from "../../../src/cli/readers/read-file.ts";
import type { ReadItem } from "../../../src/cli/readers/read-item.ts";
import { utf8Bytes } from "../../../src/lib/base/bytes.ts";
import { tinyPdf } from "./tiny-pdf.ts";

async function read(path: string, bytes: Uint8Array | string, format: FileFormat): Promise<readonly ReadItem[]> {
  const items: ReadItem[] = [];
  const file = { path, bytes: typeof bytes === "string" ? utf8Bytes(bytes) : bytes };
  for await (const item of readFileItems(file, format)) items.push(item);
  return items;
}

describe("the encoding of a file", () => {
  it("is told by its byte order mark, which is not part of the text", () => {
    expect(decodeText(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toEqual({ text: "a", encoding: "utf-8" });
    expect(decodeText(Uint8Array.of(0xff, 0xfe, 0xe9, 0x00))).toEqual({ text: "é", encoding: "utf-16le" });
    expect(decodeText(Uint8Array.of(0xfe, 0xff, 0x00, 0xe9))).toEqual({ text: "é", encoding: "utf-16be" });
  });

  it("is UTF-8 where that is valid, and otherwise guessed", () => {
    expect(decodeText(utf8Bytes("naïve café"))).toEqual({ text: "naïve café", encoding: "utf-8" });
    const latin = Buffer.from("Für die Prüfung der Geräte ist größere Sorgfalt nötig.", "latin1");
    expect(decodeText(latin)?.text).toContain("größere Sorgfalt");
  });

  it("is none for binary", () => {
    expect(decodeText(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 0, 1, 2))).toBeUndefined();
  });
});

describe("a web page", () => {
  it("becomes readable text without scripts, navigation and hidden parts", () => {
    const page = htmlText(
      `<html><head><title> The  lamp </title><style>p{}</style></head><body><nav>Home</nav><h1>Lamp</h1>
      <p>One <b>bold</b>&nbsp;word &amp; more.</p><script>alert(1)</script><div hidden>no</div>
      <ul><li>first</li><li>second</li></ul><pre>a\n  b</pre><table><tr><td>1</td><td>2</td></tr></table></body></html>`,
    );
    expect(page).toEqual({
      ok: true,
      value: {
        title: "The lamp",
        text: "# Lamp\n\nOne bold word & more.\n\n- first\n- second\n\na\n  b\n\n1 | 2",
      },
    });
  });

  it("is refused when it is nested too deeply", () => {
    expect(htmlText("<div>".repeat(5_000))).toEqual({ ok: false, error: "html_too_deep" });
  });

  it("may name its encoding itself", async () => {
    const bytes = Buffer.from('<meta charset="windows-1251"><p>\xcf\xf0\xe8\xe2\xe5\xf2</p>', "latin1");
    expect(await read("a.html", bytes, "html")).toMatchObject([
      { text: "Привет", metadata: { encoding: "windows-1251" } },
    ]);
  });
});

describe("a table", () => {
  it("has a document per row, with commas, quotes, semicolons or tabs", async () => {
    const rows = await read("t.csv", 'id,text,year\na,"one, ""two""",1962\n,three,\n', "csv");
    expect(rows).toEqual([
      { kind: "document", id: "a", text: 'one, "two"', metadata: { year: "1962" } },
      { kind: "document", id: "t.csv#2", text: "three", metadata: {} },
    ]);
    expect(await read("t.csv", "id;text\nx;y\n", "csv")).toMatchObject([{ id: "x", text: "y" }]);
    expect(await read("t.tsv", "id\ttext\nx\ty\n", "csv")).toMatchObject([{ id: "x", text: "y" }]);
  });

  it("is refused with a code where it is none", async () => {
    expect(await read("t.csv", 'a,b\n"open', "csv")).toMatchObject([{ kind: "refusal", code: "csv_malformed" }]);
  });
});

describe("mail", () => {
  const MESSAGE = `From: a@example.com\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nDate: Tue, 1 Oct 2002 10:00:00 +0200\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nSch=F6n.\r\n`;

  it("gives its text, subject and time", async () => {
    expect(await read("m.eml", MESSAGE, "eml")).toEqual([
      {
        kind: "document",
        id: "m.eml",
        text: "Schön.",
        title: "Grüße",
        occurredAt: "2002-10-01T08:00:00.000Z",
        metadata: {},
      },
    ]);
  });

  it("comes in mailboxes, whose quoted lines are unquoted", async () => {
    const box = `From a Tue Oct  1\n${MESSAGE.replaceAll("\r", "")}\n>From here on\n\nFrom b Tue Oct  1\nSubject: two\n\nSecond.\n`;
    const items = await read("m.mbox", box, "mbox");
    expect(items).toMatchObject([{ id: "m.mbox#1" }, { id: "m.mbox#2", title: "two", text: "Second." }]);
    expect(items[0]).toMatchObject({ text: expect.stringContaining("\nFrom here on") });
  });

  it("is refused with a code where it has no text or is no mail", async () => {
    expect(await read("m.eml", "Subject: x\n\n", "eml")).toEqual([{ kind: "refusal", code: "mail_no_text" }]);
    expect(await read("m.mbox", "nothing of the kind", "mbox")).toEqual([{ kind: "refusal", code: "mail_malformed" }]);
  });
});

describe("a PDF", () => {
  it("gives the text of its pages", async () => {
    const items = await read("p.pdf", tinyPdf("The lamp is lit"), "pdf");
    expect(items).toMatchObject([{ kind: "document", text: "The lamp is lit", metadata: { page_count: 1 } }]);
  });

  it("is refused with a code where it is broken, cut off or empty", async () => {
    expect(await read("p.pdf", "%PDF-1.4 nothing", "pdf")).toMatchObject([{ code: "pdf_malformed" }]);
    expect(await read("p.pdf", "", "pdf")).toMatchObject([{ code: "pdf_malformed" }]);
    expect(await read("p.pdf", tinyPdf(""), "pdf")).toEqual([{ kind: "refusal", code: "pdf_no_text" }]);
  });
});

describe("records", () => {
  it("keep their own fields, simple foreign ones as metadata, and are refused one by one", async () => {
    const lines = [
      '{"id":7,"body":"one","tier":"event","user_id":"u","occurred_at":"2020-01-01T00:00:00Z","year":1962,"tags":["a"],"deep":{"x":1}}',
      "[1]",
      '{"text":"two","tier":"nowhere"}',
      '{"text":"three"}',
    ].join("\n");
    expect(await read("r.jsonl", lines, "jsonl")).toEqual([
      {
        kind: "document",
        id: "7",
        text: "one",
        tier: "event",
        userId: "u",
        occurredAt: "2020-01-01T00:00:00Z",
        metadata: { year: 1962, tags: ["a"] },
      },
      { kind: "refusal", code: "record_malformed", record: 2 },
      { kind: "refusal", code: "record_invalid", record: 3, detail: "tier" },
      { kind: "document", id: "r.jsonl#4", text: "three", metadata: {} },
    ]);
  });
});
