import type { ModelConfig } from "../src/graph/model-config.ts";
import type { BertWeights, Dense, EncoderLayer, Norm } from "../src/graph/weights.ts";

/**
 * BERT's forward pass in plain loops and double precision, one text at a time: written from the architecture's definition
 * (Devlin et al. 2019) and not from the graph builder, so that the two can disagree. Slow on purpose.
 */
type Matrix = readonly Float64Array[];

function dense(input: Matrix, layer: Dense): Matrix {
  return input.map((row) => {
    const output = Float64Array.from(layer.bias);
    row.forEach((value, k) => {
      for (let n = 0; n < layer.outputCount; n++)
        output[n] = (output[n] ?? 0) + value * (layer.matrix[k * layer.outputCount + n] ?? 0);
    });
    return output;
  });
}

function normalize(input: Matrix, norm: Norm, epsilon: number): Matrix {
  return input.map((row) => {
    const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length;
    return row.map(
      (value, index) =>
        ((value - mean) / Math.sqrt(variance + epsilon)) * (norm.gamma[index] ?? 0) + (norm.beta[index] ?? 0),
    );
  });
}

function add(a: Matrix, b: Matrix): Matrix {
  return a.map((row, index) => row.map((value, column) => value + (b[index]?.[column] ?? 0)));
}

/** Error function, Abramowitz and Stegun 7.1.26: |error| < 1.5e-7. */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const polynomial = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return Math.sign(x) * (1 - polynomial * Math.exp(-x * x));
}

function gelu(input: Matrix): Matrix {
  return input.map((row) => row.map((value) => 0.5 * value * (1 + erf(value / Math.SQRT2))));
}

function softmax(values: Float64Array): Float64Array {
  const largest = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = values.map((value) => Math.exp(value - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((value) => value / sum);
}

function attend(queryKeyValue: Matrix, hidden: number, headCount: number): Matrix {
  const size = hidden / headCount;
  const output = queryKeyValue.map(() => new Float64Array(hidden));
  for (let head = 0; head < headCount; head++) {
    const at = head * size;
    queryKeyValue.forEach((query, position) => {
      const scores = Float64Array.from(queryKeyValue, (key) => {
        let dot = 0;
        for (let index = 0; index < size; index++) dot += (query[at + index] ?? 0) * (key[hidden + at + index] ?? 0);
        return dot / Math.sqrt(size);
      });
      const row = output[position] ?? new Float64Array(0);
      softmax(scores).forEach((share, other) => {
        for (let index = 0; index < size; index++)
          row[at + index] = (row[at + index] ?? 0) + share * (queryKeyValue[other]?.[2 * hidden + at + index] ?? 0);
      });
    });
  }
  return output;
}

function encodeLayer(input: Matrix, layer: EncoderLayer, config: ModelConfig): Matrix {
  const mixed = attend(dense(input, layer.queryKeyValue), config.hiddenSize, config.headCount);
  const attended = normalize(
    add(dense(mixed, layer.attentionOutput), input),
    layer.attentionNorm,
    config.layerNormEpsilon,
  );
  const output = dense(gelu(dense(attended, layer.intermediate)), layer.output);
  return normalize(add(output, attended), layer.outputNorm, config.layerNormEpsilon);
}

/** The unit vector of one text's token ids. */
export function referenceEmbedding(ids: readonly number[], config: ModelConfig, weights: BertWeights): Float64Array {
  const hidden = config.hiddenSize;
  const embedded = ids.map((id, position) =>
    Float64Array.from(
      { length: hidden },
      (_, index) => (weights.words[id * hidden + index] ?? 0) + (weights.positions[position * hidden + index] ?? 0),
    ),
  );
  let state: Matrix = normalize(embedded, weights.embeddingNorm, config.layerNormEpsilon);
  for (const layer of weights.layers) state = encodeLayer(state, layer, config);
  const pooled =
    config.pooling === "cls"
      ? (state[0] ?? new Float64Array(hidden))
      : state.reduce((sum, row) => sum.map((value, index) => value + (row[index] ?? 0)), new Float64Array(hidden));
  const length = Math.hypot(...pooled);
  return pooled.map((value) => value / length);
}

export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let dot = 0;
  let squareA = 0;
  let squareB = 0;
  for (let index = 0; index < a.length; index++) {
    dot += (a[index] ?? 0) * (b[index] ?? 0);
    squareA += (a[index] ?? 0) ** 2;
    squareB += (b[index] ?? 0) ** 2;
  }
  return dot / Math.sqrt(squareA * squareB);
}
