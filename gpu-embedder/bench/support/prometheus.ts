/** Value of an unlabelled series in Prometheus' text format, read from a server. Throws where it is missing. */
export async function readSeries(baseUrl: string, names: readonly string[]): Promise<readonly number[]> {
  const text = await (await fetch(`${baseUrl}/metrics`)).text();
  return names.map((name) => {
    const line = text.split("\n").find((candidate) => candidate.startsWith(`${name} `));
    if (line === undefined) throw new Error(`the server has no metric ${name}`);
    return Number(line.slice(name.length + 1));
  });
}
