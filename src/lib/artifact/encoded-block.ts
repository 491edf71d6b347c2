/** A block before compression. */
export interface EncodedBlock {
  /** What zstd gets. */
  readonly content: Uint8Array;
  /** What stands behind the frame as it is. */
  readonly tail: Uint8Array;
}
