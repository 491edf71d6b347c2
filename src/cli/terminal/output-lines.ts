import { once } from "node:events";

/** Characters gathered before they are written: thousands of short lines would spend their time in system calls. */
const FLUSH_CHARACTERS = 64 * 1024;

/** Lines to a stream that waits for its reader, so that output never piles up in memory. */
export class OutputLines {
  readonly #stream: NodeJS.WritableStream;
  #pending = "";

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
  }

  /** Lines are written when there are enough of them: call `flush` at the end. */
  async write(line: string): Promise<void> {
    this.#pending += `${line}\n`;
    if (this.#pending.length >= FLUSH_CHARACTERS) await this.flush();
  }

  async flush(): Promise<void> {
    const text = this.#pending;
    this.#pending = "";
    if (text !== "" && !this.#stream.write(text)) await once(this.#stream, "drain");
  }
}
