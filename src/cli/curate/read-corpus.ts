import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit-code.ts";
import type { InputFile } from "../readers/find-files.ts";
import { readInput } from "../readers/read-inputs.ts";
import type { ReadDocument, ReadItem, ReadRefusal } from "../readers/read-item.ts";
import type { Interruption } from "../terminal/interruption.ts";
import type { ProgressBar } from "../terminal/progress-bar.ts";
import { journalKey, type ReadJournal } from "./read-journal.ts";

/** Characters of all texts together: they are judged as one batch, in memory. */
const CORPUS_CHARACTERS_MAX = 400_000_000;

export interface CorpusDocument extends ReadDocument {
  readonly path: string;
}

export interface CorpusRefusal extends ReadRefusal {
  readonly path: string;
}

export interface Corpus {
  readonly documents: readonly CorpusDocument[];
  readonly refusals: readonly CorpusRefusal[];
}

export interface ReadTools {
  readonly journal: ReadJournal;
  readonly interruption: Interruption;
  readonly bar: ProgressBar;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
}

/** Reads every file, those that the journal knows from there. Ctrl-C ends it between two files with code 130. */
export async function readCorpus(files: readonly InputFile[], tools: ReadTools): Promise<Corpus> {
  const documents: CorpusDocument[] = [];
  const refusals: CorpusRefusal[] = [];
  const startedAtMs = tools.clock();
  let characters = 0;
  for (const [index, file] of files.entries()) {
    if (tools.interruption.isAsked) {
      throw new CommandError(
        `stopped after ${index} of ${files.length} files; the same command goes on from there`,
        EXIT.interrupted,
      );
    }
    for (const item of await itemsOf(file, tools.journal)) {
      if (item.kind === "document") documents.push({ ...item, path: file.name });
      else refusals.push({ ...item, path: file.name });
      characters += item.kind === "document" ? item.text.length : 0;
    }
    if (characters > CORPUS_CHARACTERS_MAX)
      throw new CommandError(`more than ${CORPUS_CHARACTERS_MAX} characters: curate the folders one by one`);
    showProgress(tools, { done: index + 1, total: files.length, startedAtMs, textCount: documents.length });
  }
  tools.bar.finish();
  return { documents, refusals };
}

async function itemsOf(file: InputFile, journal: ReadJournal): Promise<readonly ReadItem[]> {
  const key = await journalKey(file);
  const known = key === undefined ? undefined : journal.items(key);
  if (known !== undefined) return known;
  const items: ReadItem[] = [];
  for await (const item of readInput(file)) items.push(item);
  if (key !== undefined) await journal.add(key, items);
  return items;
}

function showProgress(
  { bar, clock }: ReadTools,
  at: { readonly done: number; readonly total: number; readonly startedAtMs: number; readonly textCount: number },
): void {
  const nowMs = clock();
  const seconds = (nowMs - at.startedAtMs) / 1000;
  const ratePerSecond = seconds > 0 ? at.done / seconds : null;
  const etaSeconds = ratePerSecond === null ? null : (at.total - at.done) / ratePerSecond;
  bar.update({ ...at, ratePerSecond, etaSeconds, note: `files read, ${at.textCount} texts` }, nowMs);
}
