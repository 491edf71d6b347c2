/** Unit vectors around cluster centres: vectors without neighbours would make every index look bad, or good. */
import { halfBitsOf } from "../../src/lib/artifact/half-precision.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";

/** Topics that vectors gather around, and how far they stray from them, in standard deviations of a centre's components. */
const CLUSTERS = 400;
const SPREAD = 0.9;
const NOISE_LENGTH = 1 << 18;
/** Components are rounded to this part of 1, finer than a half is near 0.05. */
const STEPS = 1 << 16;

/** Draws vectors of one mixture: the same seed, the same centres. */
export class VectorSource {
  readonly dimensions: number;
  readonly #centres: Float64Array;
  readonly #noise: Float64Array;

  constructor(dimensions: number, seed: number) {
    this.dimensions = dimensions;
    const random = new SeededRandom(seed);
    const normal = (): number =>
      Math.sqrt(-2 * Math.log(random.next() + 1e-12)) * Math.cos(2 * Math.PI * random.next());
    this.#centres = Float64Array.from({ length: CLUSTERS * dimensions }, normal);
    this.#noise = Float64Array.from({ length: NOISE_LENGTH + dimensions }, normal);
  }

  /** One more vector of unit length. The array is used again by the next call. */
  readonly next = (random: SeededRandom, into: Float64Array): void => {
    const centre = random.below(CLUSTERS) * this.dimensions;
    const noise = random.below(NOISE_LENGTH);
    let squares = 0;
    for (let index = 0; index < this.dimensions; index += 1) {
      const value = (this.#centres[centre + index] ?? 0) + SPREAD * (this.#noise[noise + index] ?? 0);
      into[index] = value;
      squares += value * value;
    }
    const length = Math.sqrt(squares);
    for (let index = 0; index < this.dimensions; index += 1) into[index] = (into[index] ?? 0) / length;
  };
}

const HALVES = Uint16Array.from({ length: 2 * STEPS + 1 }, (_, index) => halfBitsOf(index / STEPS - 1));

/** Bits of the half next to a number from -1 to 1. */
export function halfOf(value: number): number {
  return HALVES[Math.round(value * STEPS) + STEPS] ?? 0;
}
