import { styleText } from "node:util";

function wrap(format: Parameters<typeof styleText>[0]): (text: string) => string {
  return (text) => styleText(format, text, { stream: process.stdout, validateStream: true });
}

/** Colours where stdout is a terminal, nothing elsewhere or with NO_COLOR. */
export const style = {
  bold: wrap("bold"),
  dim: wrap("dim"),
  green: wrap("green"),
  red: wrap("red"),
  yellow: wrap("yellow"),
  cyan: wrap("cyan"),
};
