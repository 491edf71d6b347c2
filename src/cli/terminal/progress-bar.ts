/** State of a long operation as its bar shows it. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly ratePerSecond: number | null;
  readonly etaSeconds: number | null;
  readonly note: string;
}

const BAR_CHARACTERS = 28;

/** One line: bar, counts, rate, time left, note. Pure. */
export function progressLine(progress: Progress): string {
  const share = progress.total === 0 ? 1 : Math.min(1, progress.done / progress.total);
  const filled = Math.round(share * BAR_CHARACTERS);
  const bar = "█".repeat(filled) + "░".repeat(BAR_CHARACTERS - filled);
  const rate = progress.ratePerSecond === null ? "–/s" : `${progress.ratePerSecond.toFixed(1)}/s`;
  const eta = progress.etaSeconds === null ? "ETA –" : `ETA ${Math.ceil(progress.etaSeconds)} s`;
  return `${bar} ${progress.done}/${progress.total}  ${rate}  ${eta}  ${progress.note}`;
}

/** Draws a bar in place on a terminal; elsewhere a line now and then, so that a log stays readable. */
export class ProgressBar {
  readonly #stream: NodeJS.WriteStream;
  #lastLine = "";
  #lastPlainAtMs = -Infinity;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  update(progress: Progress, nowMs: number): void {
    const line = progressLine(progress);
    if (line === this.#lastLine) return;
    if (this.#stream.isTTY) this.#stream.write(`\r\x1b[2K  ${line}`);
    else if (nowMs - this.#lastPlainAtMs >= PLAIN_LINE_EVERY_MS || progress.done === progress.total) {
      this.#stream.write(`  ${line}\n`);
      this.#lastPlainAtMs = nowMs;
    }
    this.#lastLine = line;
  }

  finish(): void {
    if (this.#stream.isTTY) this.#stream.write("\n");
  }
}

/** Distance of lines where there is no terminal. */
const PLAIN_LINE_EVERY_MS = 5_000;
