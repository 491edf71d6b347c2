/** Identifiers that look alike, mean something to some parser, or are at the limit. Each one is a user, and names documents too. */
export const HOSTILE_IDS: readonly string[] = [
  "ann",
  "Ann",
  "ANN",
  "anna",
  "\u0430nn", // a Cyrillic a
  "ann\u200b", // a blank of no width
  "zo\u00e9", // é as one character
  "zoe\u0301", // é as two
  "../ann",
  "%2e%2e%2fann",
  "%",
  "_nn",
  "*ann",
  "''",
  "ann' or '1'='1",
  '"ann"',
  "{ann,bob}",
  "ann\\",
  "__proto__",
  "a".repeat(200),
];

/** What is no identifier and has to be refused wherever one is named. */
export const REFUSED_IDS: readonly string[] = [
  "",
  "*",
  " ann",
  "ann ",
  "ann\u0000",
  "ann\nann",
  "\ud800",
  "a".repeat(201),
  "a".repeat(10_000),
];

/** What a client may put where an id belongs, in a path. None of them is the name of anybody. */
export const HOSTILE_PATHS: readonly string[] = [
  "..%2f..%2fwal",
  "%2e%2e%2f",
  "%25%25",
  "%00",
  "*",
  "'''",
  "%27%20or%20%271%27=%271",
  "\u0430",
  "zo%C3%A8",
  "a".repeat(10_000),
];
