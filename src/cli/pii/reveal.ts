import { readFile } from "node:fs/promises";
import { utf8Text } from "../../lib/base/bytes.ts";
import { keyBytesOf } from "../../lib/pii/key-text.ts";
import { importPiiKey, type PiiKey } from "../../lib/pii/pii-key.ts";
import { type Revealed, revealText } from "../../lib/pii/reveal.ts";
import type { CommandArguments } from "../arguments/command-arguments.ts";
import { CommandError, usageError } from "../command-error.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { readBytes } from "../readers/read-inputs.ts";
import { READ_REFUSALS } from "../readers/read-item.ts";
import { READ_LIMITS } from "../readers/read-limits.ts";
import { countText, plural } from "../report/number-text.ts";

/** `jeeves pii reveal`: a text with its sealed placeholders opened, without any service. Exit code 1 when one could not be opened. */
export async function reveal(args: CommandArguments, path: string): Promise<ExitCode> {
  const keyFiles = args.texts("key-file");
  if (keyFiles.length === 0) throw usageError("--key-file is missing: the tenant's key, base64 of 32 bytes");
  const keys: PiiKey[] = [];
  for (const keyFile of keyFiles) keys.push(await readKey(keyFile));
  const revealed = await revealText(await readText(path), keys);
  if (args.flag("json")) console.log(JSON.stringify(resultOf(revealed)));
  else {
    process.stdout.write(revealed.text);
    console.error(summaryOf(revealed));
  }
  return sealedLeft(revealed) > 0 ? EXIT.failed : EXIT.ok;
}

async function readKey(path: string): Promise<PiiKey> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) throw new CommandError(`the key file "${path}" cannot be read`);
  const bytes = keyBytesOf(text);
  const key = bytes === undefined ? undefined : await importPiiKey(bytes);
  if (key?.ok !== true)
    throw new CommandError(`"${path}" holds no key: base64 of 32 bytes, as of openssl rand -base64 32`);
  return key.value;
}

async function readText(path: string): Promise<string> {
  const bytes = await readBytes(path, READ_LIMITS.documentFileBytesMax);
  if (!(bytes instanceof Uint8Array)) throw new CommandError(`"${path}": ${READ_REFUSALS[bytes.code]}`);
  const text = utf8Text(bytes);
  if (text === undefined) throw new CommandError(`"${path}" is no UTF-8 text`);
  return text;
}

function sealedLeft({ foreignCounts, brokenCount }: Revealed): number {
  return Object.values(foreignCounts).reduce((sum, count) => sum + count, brokenCount);
}

function resultOf(revealed: Revealed): unknown {
  return {
    text: revealed.text,
    opened_count: revealed.openedCount,
    foreign_counts: revealed.foreignCounts,
    broken_count: revealed.brokenCount,
    numbered_count: revealed.numberedCount,
  };
}

function summaryOf(revealed: Revealed): string {
  const parts = [`${plural(revealed.openedCount, "placeholder")} opened`];
  if (sealedLeft(revealed) > 0) parts.push(`${countText(sealedLeft(revealed))} could not be opened`);
  for (const [keyId, count] of Object.entries(revealed.foreignCounts))
    parts.push(`${countText(count)} of key ${keyId}`);
  if (revealed.brokenCount > 0) parts.push(`${countText(revealed.brokenCount)} changed since they were sealed`);
  if (revealed.numberedCount > 0) parts.push(`${countText(revealed.numberedCount)} numbered, which carry no value`);
  return parts.join("; ");
}
