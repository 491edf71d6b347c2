/** Hash functions of a signature: the standard error of an estimated Jaccard similarity is at most 0.5 / √96 = 0.051. */
const HASH_COUNT = 96;
/**
 * Hashes of one band. Two texts of Jaccard similarity j share a band of 32 with probability 1 − (1 − j³)³²: 0.99 at 0.5, 0.88 at 0.4,
 * 0.03 at 0.1 (Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, section 3.4).
 */
const BAND_HASHES = 3;
const BAND_COUNT = HASH_COUNT / BAND_HASHES;
/** Tokens of one shingle. Two keep a text with a typing error in every tenth word within reach of the bands. */
const SHINGLE_TOKENS = 2;
/** Any constant: the same for ever, since signatures are stored. */
const SEED = 0x6a656576;

/** Bijective mixer of 32 bits (MurmurHash3's finalizer, public domain). */
function mix(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

const ADDENDS = Int32Array.from({ length: HASH_COUNT }, (_, index) => mix(SEED + 2 * index));
const FACTORS = Int32Array.from({ length: HASH_COUNT }, (_, index) => mix(SEED + 2 * index + 1) | 1);

// FNV-1a over UTF-16 units, then mixed.
function hashToken(token: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < token.length; index++) hash = Math.imul(hash ^ token.charCodeAt(index), 0x01000193);
  return mix(hash);
}

/** Hashes of the overlapping pairs of tokens, in order, 32 bits unsigned; of the only token where there is one. */
export function shinglesOf(tokens: readonly string[]): Uint32Array {
  const hashes = Uint32Array.from(tokens, hashToken);
  if (hashes.length < SHINGLE_TOKENS) return hashes;
  const shingles = new Uint32Array(hashes.length - 1);
  for (let index = 0; index < shingles.length; index++)
    shingles[index] = mix(Math.imul(hashes[index] ?? 0, 0x9e3779b1) ^ (hashes[index + 1] ?? 0));
  return shingles;
}

/**
 * MinHash signature of a set of shingles (Broder 1997): 96 unsigned 32-bit minima under fixed hash functions. Repeated shingles and
 * their order do not matter. All ones for an empty set.
 */
export function signatureOf(shingles: Uint32Array): Uint32Array {
  const minima = new Uint32Array(HASH_COUNT).fill(0xffffffff);
  for (const shingle of shingles) {
    for (let index = 0; index < HASH_COUNT; index++) {
      const product = Math.imul(shingle ^ (ADDENDS[index] ?? 0), FACTORS[index] ?? 1);
      const hash = (product ^ (product >>> 15)) >>> 0;
      if (hash < (minima[index] ?? 0)) minima[index] = hash;
    }
  }
  return minima;
}

/** Share of equal minima: an unbiased estimate of |A ∩ B| / |A ∪ B| of the shingle sets, 0..1. */
export function estimatedJaccard(a: Uint32Array, b: Uint32Array): number {
  let equal = 0;
  for (let index = 0; index < HASH_COUNT; index++) if (a[index] === b[index]) equal++;
  return equal / HASH_COUNT;
}

/**
 * 32 bands of a signature as integers in [0, 2^53): exact in a JavaScript number, in JSON and in a Postgres bigint. The position of the
 * band is part of it, so that one list or table column can hold all of them. Texts that share a band are candidates.
 */
export function bandsOf(signature: Uint32Array): number[] {
  return Array.from({ length: BAND_COUNT }, (_, band) => {
    let high = mix(SEED ^ band);
    let low = mix(high + 1);
    for (let index = band * BAND_HASHES; index < (band + 1) * BAND_HASHES; index++) {
      high = mix(high ^ (signature[index] ?? 0));
      low = mix(Math.imul(low, 31) + (signature[index] ?? 0));
    }
    return (high & 0x1fffff) * 0x1_0000_0000 + low;
  });
}
