/** Least and greatest value of a tensor. */
export type ActivationRange = readonly [least: number, greatest: number];

/** Ranges of what the products of one encoder layer read, by the product. */
export type LayerRanges = {
  readonly queryKeyValue: ActivationRange;
  readonly attentionOutput: ActivationRange;
  readonly intermediate: ActivationRange;
  readonly output: ActivationRange;
};

/** Ranges of a whole encoder, from the first layer to the last. */
export type ActivationRanges = readonly LayerRanges[];

/** Name of the output that shows what a product of a layer reads. */
export function observedName(layerIndex: number, product: keyof LayerRanges): string {
  return `observed.${layerIndex}.${product}`;
}
