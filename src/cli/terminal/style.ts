const isColoured = process.stdout.isTTY && process.env["NO_COLOR"] === undefined;

function wrap(code: string): (text: string) => string {
  return (text) => (isColoured ? `\x1b[${code}m${text}\x1b[0m` : text);
}

/** Colours on a terminal, nothing elsewhere or with NO_COLOR. */
export const style = {
  bold: wrap("1"),
  dim: wrap("2"),
  green: wrap("32"),
  red: wrap("31"),
  yellow: wrap("33"),
  cyan: wrap("36"),
};
