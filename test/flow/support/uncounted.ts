/** Counters of a consumer that count nothing. */
export const UNCOUNTED = {
  ended: () => undefined,
  indexed: () => undefined,
  searchable: () => undefined,
  retried: () => undefined,
  buried: () => undefined,
  compared: () => undefined,
};
