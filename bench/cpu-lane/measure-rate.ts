/** Milliseconds of processor time that one sample takes at least: shorter ones measure the clock and the garbage collector. */
const SAMPLE_MS = 300;
/** Repetitions of one sample at most, should the work cost next to nothing. */
const REPETITIONS_MAX = 100_000;

/** Processor time of this process with all of its threads so far: what a core is worth does not depend on who else wants it. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Units a processor second of work that handles `unitsOfOne` units a call, one sample a round, after one call to warm up. */
export function measureRate(rounds: number, unitsOfOne: number, work: () => unknown): number[] {
  work();
  return Array.from({ length: rounds }, () => {
    const startedMs = processorMs();
    let tookMs = 0;
    let calls = 0;
    while (tookMs < SAMPLE_MS && calls < REPETITIONS_MAX) {
      work();
      calls += 1;
      tookMs = processorMs() - startedMs;
    }
    return (calls * unitsOfOne * 1000) / tookMs;
  });
}
