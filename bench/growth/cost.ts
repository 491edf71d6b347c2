/** What a month costs, from prices and from figures of runs. Pure; `node bench/growth/cost.ts` prints the table of docs/scale.md. */
import { fileURLToPath } from "node:url";

/** US dollars, without what plans include and without discounts. docs/scale.md says where each is from, and when. */
const PRICES = {
  workersPlan: 5,
  workersPerMillionRequests: 0.3,
  workersPerMillionCpuMs: 0.02,
  queuesPerMillionOperations: 0.4,
  r2PerMillionWrites: 4.5,
  r2PerMillionReads: 0.36,
  r2PerGigabyteMonth: 0.015,
  neonPerComputeHour: 0.222,
  neonPerGigabyteMonth: 0.35,
  cpuBoxPerMonth: 60,
  gpuBoxPerMonth: 520,
} as const;

/** Measured here (docs/benchmarks.md, bench/growth/main.ts, docs/FORMATS.md), unless it says otherwise. */
const FIGURES = {
  /** Of database, graph of vectors not counted, and of the graph, for one chunk. */
  databaseBytesOfChunk: 3_400,
  graphBytesOfChunk: 1_170,
  /** Text in packs, WAL objects, segments and backups with f16 vectors. Estimated. */
  objectBytesOfChunk: 4_000,
  /** Chunks in one document, documents in one request, documents in one queue message. */
  chunksOfDocument: 8,
  documentsOfRequest: 20,
  documentsOfMessage: 10,
  /** Processor time of a Worker: edge for one document, consumer for one chunk, one search. */
  edgeCpuMsOfDocument: 2,
  consumerCpuMsOfChunk: 3,
  searchCpuMs: 15,
  /** Chunks a second of one CPU box of four cores. */
  cpuBoxChunksPerSecond: 130,
  /** Of one small GPU. Assumed: no GPU was measured. */
  gpuBoxChunksPerSecond: 3_000,
  /** Busy seconds of a database compute unit for one chunk written and one search. */
  writeSecondsOfChunk: 0.004,
  searchSeconds: 0.06,
} as const;

export interface Workload {
  /** New ones in a month. */
  readonly chunksPerMonth: number;
  readonly monthsKept: number;
  readonly searchesPerMonth: number;
}

export interface MonthlyCost {
  readonly workers: number;
  readonly queues: number;
  readonly r2: number;
  readonly neonCompute: number;
  readonly neonStorage: number;
  readonly embedder: number;
  readonly total: number;
  /** Compute units of 4 GB that hold the graph in memory, and databases of at most `UNITS_MAX` of them. */
  readonly computeUnits: number;
  readonly databases: number;
}

const MILLION = 1_000_000;
const GIGABYTE = 1_000_000_000;
const HOURS_OF_MONTH = 730;
const SECONDS_OF_MONTH = HOURS_OF_MONTH * 3600;
/** Load at its busiest, of its mean. */
const PEAK = 4;
/** Memory of a Neon compute unit that is left for the graph. */
const GRAPH_BYTES_OF_UNIT = 3 * GIGABYTE;
/** Compute units of the largest Neon database that scales by itself. */
const UNITS_MAX = 16;
const QUEUE_OPERATIONS_OF_MESSAGE = 3;

/** The bill of a month when the store has reached its size. Pure. */
export function monthlyCost({ chunksPerMonth, monthsKept, searchesPerMonth }: Workload): MonthlyCost {
  const stored = chunksPerMonth * monthsKept;
  const documents = chunksPerMonth / FIGURES.chunksOfDocument;
  const requests = documents / FIGURES.documentsOfRequest;
  const messages = documents / FIGURES.documentsOfMessage;
  const cpuMs =
    documents * FIGURES.edgeCpuMsOfDocument +
    chunksPerMonth * FIGURES.consumerCpuMsOfChunk +
    searchesPerMonth * FIGURES.searchCpuMs;
  const workers =
    PRICES.workersPlan +
    ((requests + searchesPerMonth + messages) / MILLION) * PRICES.workersPerMillionRequests +
    (cpuMs / MILLION) * PRICES.workersPerMillionCpuMs;
  const queues = ((messages * QUEUE_OPERATIONS_OF_MESSAGE) / MILLION) * PRICES.queuesPerMillionOperations;
  // A WAL object for each request, read once for each message, then again when it is packed.
  const r2 =
    (requests / MILLION) * PRICES.r2PerMillionWrites +
    ((messages + requests) / MILLION) * PRICES.r2PerMillionReads +
    ((stored * FIGURES.objectBytesOfChunk) / GIGABYTE) * PRICES.r2PerGigabyteMonth;
  const busy = chunksPerMonth * FIGURES.writeSecondsOfChunk + searchesPerMonth * FIGURES.searchSeconds;
  const computeUnits = Math.ceil(
    Math.max(1, (stored * FIGURES.graphBytesOfChunk) / GRAPH_BYTES_OF_UNIT, (PEAK * busy) / SECONDS_OF_MONTH),
  );
  const neonCompute = computeUnits * HOURS_OF_MONTH * PRICES.neonPerComputeHour;
  const storedBytes = stored * (FIGURES.databaseBytesOfChunk + FIGURES.graphBytesOfChunk);
  const neonStorage = (storedBytes / GIGABYTE) * PRICES.neonPerGigabyteMonth;
  const peakChunks = (PEAK * chunksPerMonth) / SECONDS_OF_MONTH;
  const embedder = Math.min(
    Math.ceil(peakChunks / FIGURES.cpuBoxChunksPerSecond) * PRICES.cpuBoxPerMonth,
    Math.ceil(peakChunks / FIGURES.gpuBoxChunksPerSecond) * PRICES.gpuBoxPerMonth,
  );
  const total = workers + queues + r2 + neonCompute + neonStorage + embedder;
  const databases = Math.ceil(computeUnits / UNITS_MAX);
  return { workers, queues, r2, neonCompute, neonStorage, embedder, total, computeUnits, databases };
}

/** Sizes of docs/scale.md: everything is kept for a year, and a tenth as many searches as chunks. */
const SIZES = [1, 10, 100].map((millions) => ({
  name: `${millions} M`,
  workload: { chunksPerMonth: millions * MILLION, monthsKept: 12, searchesPerMonth: (millions * MILLION) / 10 },
}));

const dollars = (value: number): string => `$${Math.round(value).toLocaleString("en")}`;

/** The table as Markdown. */
export function costTable(): string {
  const costs = SIZES.map(({ workload }) => monthlyCost(workload));
  const row = (name: string, cell: (cost: MonthlyCost) => string): string =>
    `| ${name} | ${costs.map((cost) => cell(cost)).join(" | ")} |`;
  return [
    `| new chunks a month | ${SIZES.map(({ name }) => name).join(" | ")} |`,
    "| --- | --- | --- | --- |",
    row("Workers (edge, consumers, search)", ({ workers }) => dollars(workers)),
    row("Queues", ({ queues }) => dollars(queues)),
    row("R2", ({ r2 }) => dollars(r2)),
    row("Neon, compute", ({ neonCompute }) => dollars(neonCompute)),
    row("Neon, storage", ({ neonStorage }) => dollars(neonStorage)),
    row("embedder", ({ embedder }) => dollars(embedder)),
    row("**together**", ({ total }) => `**${dollars(total)}**`),
    row("compute units that hold the graphs", ({ computeUnits }) => String(computeUnits)),
    row("databases of 16 units", ({ databases }) => String(databases)),
  ].join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(costTable());
