/** Moments of a Poisson process within `seconds`, milliseconds from its beginning, ascending: users who know nothing of each other. Pure, if `random` repeats. */
export function poissonArrivalsMs(ratePerSecond: number, seconds: number, random: () => number): readonly number[] {
  const arrivals: number[] = [];
  for (let atMs = 0; arrivals.length < ARRIVALS_MAX;) {
    // The gaps of a Poisson process are distributed exponentially (inverse of the distribution function).
    atMs += (-Math.log(1 - random()) / ratePerSecond) * 1000;
    if (atMs >= seconds * 1000) break;
    arrivals.push(atMs);
  }
  return arrivals;
}

/** A bench, not an attack: an hour at 100 requests a second. */
const ARRIVALS_MAX = 360_000;
