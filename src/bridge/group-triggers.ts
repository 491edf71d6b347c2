import { documentKeys, type Trigger } from "./trigger.ts";

/** What one request holds at most. A trigger beyond the bounds by itself makes a request of its own. */
export interface RequestBounds {
  readonly documentsMax: number;
  readonly bytesMax: number;
}

/**
 * Triggers of one request in the making. No two of them hold the same document: inside one request the later text would be judged against
 * the earlier, and might be dropped as its duplicate.
 */
export class TriggerGroup {
  readonly #bounds: RequestBounds;
  readonly #triggers: Trigger[] = [];
  readonly #keys = new Set<string>();
  #documents = 0;
  #bytes = 0;

  constructor(bounds: RequestBounds) {
    this.#bounds = bounds;
  }

  get triggers(): readonly Trigger[] {
    return this.#triggers;
  }

  get isFull(): boolean {
    return this.#documents >= this.#bounds.documentsMax || this.#bytes >= this.#bounds.bytesMax;
  }

  /** False when there is no room for it. An empty group takes anything. */
  add(trigger: Trigger): boolean {
    const documents = this.#documents + trigger.documents.length;
    const bytes = this.#bytes + trigger.sizeBytes;
    const keys = documentKeys([trigger]);
    const isWithin = documents <= this.#bounds.documentsMax && bytes <= this.#bounds.bytesMax;
    const hasRoom = isWithin && ![...keys].some((key) => this.#keys.has(key));
    if (!hasRoom && this.#triggers.length > 0) return false;
    this.#triggers.push(trigger);
    for (const key of keys) this.#keys.add(key);
    this.#documents = documents;
    this.#bytes = bytes;
    return true;
  }
}

/** Triggers in their order, cut into requests. Pure. */
export function groupTriggers(triggers: readonly Trigger[], bounds: RequestBounds): readonly (readonly Trigger[])[] {
  const groups: TriggerGroup[] = [];
  for (const trigger of triggers) {
    if (groups.at(-1)?.add(trigger) === true) continue;
    const group = new TriggerGroup(bounds);
    group.add(trigger);
    groups.push(group);
  }
  return groups.map((group) => group.triggers);
}
