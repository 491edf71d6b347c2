/** ISOLATION_SEED repeats a run; without it each run looks elsewhere. */
export function runSeed(): number {
  const given = process.env["ISOLATION_SEED"];
  return given === undefined ? Date.now() % 2 ** 32 : Number(given);
}
