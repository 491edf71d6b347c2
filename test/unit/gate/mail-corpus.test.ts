import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { judgeMailCorpus } from "../../../bench/gate/mail-corpus.ts";
import { readMail } from "../../../src/cli/readers/read-mail.ts";
import { judgeText } from "../../../src/lib/gate/judge-text.ts";

// Six thousand messages take six seconds; the limit is for a busy machine.
const CORPUS_TIMEOUT_MS = 120_000;
const HAM_ACCEPTED_MIN = 0.9;

const HEAD = "From: a@example.com\nSubject: minutes\nMIME-Version: 1.0\n";
const NOISE = Buffer.from(
  Array.from({ length: 900 }, (_, index) => (Math.imul(index + 1, 2_654_435_761) >>> 13) & 255),
);
const LATIN_1 = Buffer.from("Café naïve résumé über été, which is Latin-1 and says that it is UTF-8", "latin1");

const BROKEN: [name: string, outcome: string, message: Uint8Array][] = [
  [
    "a boundary that is never closed",
    "accepted",
    mail('multipart/mixed; boundary="b"', "--b\n\nThe minutes of the meeting are below."),
  ],
  [
    "parts under another boundary",
    "mail_no_text",
    mail('multipart/mixed; boundary="b"', "--c\n\nThe minutes of the meeting.\n--c--"),
  ],
  [
    "an attachment pasted into the text",
    "encoded_blob",
    mail("text/plain", NOISE.toString("base64").replace(/.{76}/g, "$&\n")),
  ],
  [
    "words that are called base64",
    "replacement_characters",
    mail(
      "text/plain\nContent-Transfer-Encoding: base64",
      "The sender wrote words instead, as some do, and they decode to something.",
    ),
  ],
  [
    "bytes of another charset",
    "replacement_characters",
    Buffer.concat([mail("text/plain; charset=utf-8", ""), LATIN_1]),
  ],
  [
    "a charset that nobody knows",
    "accepted",
    mail("text/plain; charset=x-nothing", "The minutes of the meeting are below."),
  ],
  ["a picture sent as text", "nul_bytes", Buffer.concat([mail("text/plain", ""), NOISE])],
  ["headers alone", "mail_no_text", Buffer.from(HEAD)],
  [
    "parts in parts without end",
    "mail_malformed",
    Buffer.from("Content-Type: multipart/mixed; boundary=b\n\n--b\n".repeat(2_000)),
  ],
];

function mail(contentType: string, body: string): Buffer {
  return Buffer.from(`${HEAD}Content-Type: ${contentType}\n\n${body}`);
}

/** The reader's refusal, the first rule that speaks against the text, or "accepted". */
async function outcomeOf(message: Uint8Array): Promise<string | undefined> {
  const [item] = await readMail({ path: "message.eml", bytes: message });
  if (item?.kind !== "document") return item?.code;
  const { verdict, reasons } = judgeText(item.text, "doc");
  return verdict === "accepted" ? verdict : reasons[0]?.code;
}

describe("real mail", () => {
  it(
    "gets the same verdicts as ever: ham is let in, and what is not is explained",
    { timeout: CORPUS_TIMEOUT_MS },
    async () => {
      const folders = await judgeMailCorpus();
      const ham = Object.entries(folders).filter(([folder]) => folder.includes("ham"));
      const sum = (of: "messages" | "accepted") => ham.reduce((total, [, verdicts]) => total + verdicts[of], 0);
      expect(sum("messages")).toBe(4_150);
      expect(sum("accepted") / sum("messages")).toBeGreaterThanOrEqual(HAM_ACCEPTED_MIN);
      for (const verdicts of Object.values(folders)) expect(verdicts.unexplained).toBe(0);
      // After a change of rules that is meant: node bench/gate/mail.ts --json > test/unit/gate/mail-corpus.golden.json
      const golden: unknown = JSON.parse(readFileSync(new URL("mail-corpus.golden.json", import.meta.url), "utf8"));
      expect(folders).toEqual(golden);
    },
  );

  it.each(BROKEN)("is explained where it is broken: %s gives %s", async (_name, outcome, message) => {
    expect(await outcomeOf(message)).toBe(outcome);
  });
});
