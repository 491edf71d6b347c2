const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;
const OPEN_ARRAY = 91;
const CLOSE_ARRAY = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

export interface JsonScanLimits {
  readonly depthMax: number;
  readonly valuesMax: number;
}

/**
 * Looks over JSON text before it is parsed: deeper or longer than the limits is known without building it. Linear; says nothing about
 * whether the text is valid JSON.
 */
export function scanJson(text: string, limits: JsonScanLimits): "fits" | "too_deep" | "too_many_values" {
  let depth = 0;
  let values = 1;
  for (let position = 0; position < text.length; position++) {
    const code = text.charCodeAt(position);
    if (code === QUOTE) {
      position = endOfString(text, position);
    } else if (code === OPEN_ARRAY || code === OPEN_OBJECT) {
      values++;
      if (++depth > limits.depthMax) return "too_deep";
    } else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) {
      depth--;
    } else if (code === COMMA && ++values > limits.valuesMax) {
      return "too_many_values";
    }
  }
  return "fits";
}

/** Position of the quote that ends the string starting at `start`, or of the text's end. Every character is looked at twice at most. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}
