import type { Dense } from "./weights.ts";

/**
 * A tensor of [batch x sequence x hidden] whose rows still lack a constant. The shift of a layer normalisation is never added to it: it goes into the
 * biases of the products that read the tensor and of the one whose output it is added to, which saves a pass over the tensor.
 */
export type Shifted = { readonly tensor: string; readonly shift: Float32Array | undefined };

/** `(x + shift) W + b` as a product of x alone: b becomes `b + shift W`. Sums in float64, rounded once. */
export function withInputShift(layer: Dense, shift: Float32Array | undefined): Dense {
  if (shift === undefined) return layer;
  const { inputCount, outputCount, matrix } = layer;
  const bias = Float64Array.from(layer.bias);
  for (let row = 0; row < inputCount; row++) {
    const amount = shift[row] ?? 0;
    for (let column = 0; column < outputCount; column++)
      bias[column] = (bias[column] ?? 0) + amount * (matrix[row * outputCount + column] ?? 0);
  }
  return { ...layer, bias: Float32Array.from(bias) };
}

/** A product to whose output a shifted tensor is added: the shift becomes part of the bias. */
export function withOutputShift(layer: Dense, shift: Float32Array | undefined): Dense {
  return shift === undefined
    ? layer
    : { ...layer, bias: layer.bias.map((value, index) => value + (shift[index] ?? 0)) };
}
