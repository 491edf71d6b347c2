import { setTimeout as sleep } from "node:timers/promises";
import { addEntry, documentMessage, type Producer } from "../../bridge/support/producer.ts";
import type { SeededRandom } from "../../support/seeded-random.ts";
import type { Owner } from "../told.ts";
import type { Load } from "./load.ts";
import type { TextSource } from "./text-source.ts";

export interface StreamFeederOptions {
  readonly producer: Producer;
  readonly stream: string;
  readonly owner: Owner;
  /** Number of the round: the entries of a later one have greater ids. */
  readonly round: number;
  readonly texts: TextSource;
  readonly random: SeededRandom;
}

const PAUSE_MS = { min: 200, max: 800 };

/** Adds entries, each with a document of its own, until the load is over. */
export async function runStreamFeeder(load: Load, options: StreamFeederOptions): Promise<void> {
  const { producer, stream, owner, round, texts, random } = options;
  for (let count = 1; !load.isOver; count += 1) {
    const document = { ...owner, documentId: `entry-${round}-${count}`, text: texts.next() };
    await addEntry(producer, stream, `${round + 1}-${count}`, documentMessage(document.documentId, document.text));
    load.told.entries.push(document);
    await sleep(random.between(PAUSE_MS.min, PAUSE_MS.max));
  }
}
