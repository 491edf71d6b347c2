/** A line through measured points. */
export interface Trend {
  readonly mean: number;
  /** Rise of the fitted line in an hour. */
  readonly slopePerHour: number;
  /** Standard error of the slope. */
  readonly slopeError: number;
}

/** Least squares of values over time, with the standard error of the slope. At least three points. Pure. */
export function fitTrend(points: readonly { readonly atMs: number; readonly value: number }[]): Trend {
  const hours = points.map(({ atMs }) => atMs / 3_600_000);
  const values = points.map(({ value }) => value);
  const meanOf = (list: readonly number[]): number => list.reduce((sum, item) => sum + item, 0) / list.length;
  const [meanHour, mean] = [meanOf(hours), meanOf(values)];
  const squares = hours.reduce((sum, hour) => sum + (hour - meanHour) ** 2, 0);
  const products = hours.reduce((sum, hour, index) => sum + (hour - meanHour) * ((values[index] ?? 0) - mean), 0);
  const slopePerHour = products / squares;
  const residual = hours.reduce(
    (sum, hour, index) => sum + ((values[index] ?? 0) - mean - slopePerHour * (hour - meanHour)) ** 2,
    0,
  );
  return { mean, slopePerHour, slopeError: Math.sqrt(residual / (points.length - 2) / squares) };
}

/**
 * `flat`: the rise is below the tolerance. `rising`: it is above, and more than chance (two standard errors). `undecided`: above, but the
 * values scatter so much that a longer run is needed.
 */
export function judgeTrend(
  { slopePerHour, slopeError }: Trend,
  tolerancePerHour: number,
): "flat" | "rising" | "undecided" {
  if (slopePerHour <= tolerancePerHour) return "flat";
  return slopePerHour - 2 * slopeError > 0 ? "rising" : "undecided";
}
