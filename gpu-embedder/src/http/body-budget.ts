/** Bytes of request bodies that the server holds at once, so that memory is bounded however many clients send. */
export class BodyBudget {
  readonly #limitBytes: number;
  #heldBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Whether there was room; then `give` must follow. */
  tryTake(sizeBytes: number): boolean {
    if (this.#heldBytes + sizeBytes > this.#limitBytes) return false;
    this.#heldBytes += sizeBytes;
    return true;
  }

  give(sizeBytes: number): void {
    this.#heldBytes -= sizeBytes;
  }
}
