/** Hexadecimal digits of the hash in an artifact's id: 96 bits. */
const HASH_DIGITS = 24;

/** Id of the artifact that a segment becomes. @param sha256 of its bytes, hexadecimal */
export function segmentArtifactId(sha256: string): string {
  return `segment-${sha256.slice(0, HASH_DIGITS)}`;
}
