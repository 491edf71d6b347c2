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

/** What the bar needs of a stream. */
interface BarStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): boolean;
}

/** Columns of a terminal that does not say. */
const COLUMNS_DEFAULT = 80;

/** Draws a bar in place on a terminal; elsewhere a line now and then, so that a log stays readable. */
export class ProgressBar {
  readonly #stream: BarStream;
  #lastLine = "";
  #lastAtMs = -Infinity;

  constructor(stream: BarStream) {
    this.#stream = stream;
  }

  update(progress: Progress, nowMs: number): void {
    const line = progressLine(progress);
    if (line === this.#lastLine) return;
    const everyMs = this.#stream.isTTY === true ? REDRAW_EVERY_MS : PLAIN_LINE_EVERY_MS;
    if (nowMs - this.#lastAtMs < everyMs && progress.done !== progress.total) return;
    // A line that wraps could not be drawn over.
    if (this.#stream.isTTY === true)
      this.#stream.write(`\r\x1b[2K  ${line.slice(0, Math.max(20, (this.#stream.columns ?? COLUMNS_DEFAULT) - 3))}`);
    else this.#stream.write(`  ${line}\n`);
    this.#lastAtMs = nowMs;
    this.#lastLine = line;
  }

  finish(): void {
    if (this.#stream.isTTY === true) this.#stream.write("\n");
  }
}

/** Distance of drawings on a terminal: an eye sees no more, and thousands of steps should not wait for it. */
const REDRAW_EVERY_MS = 50;
/** Distance of lines where there is no terminal. */
const PLAIN_LINE_EVERY_MS = 5_000;
