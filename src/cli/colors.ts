// Colors for terminals.
import { styleText } from "node:util";
import type { Io, Output } from "./io.ts";

export interface Colors {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

/** Returns the colors for text that is written to `output`. They have no effect if the output does not support them. */
export function colorsFor(output: Output, env: Io["env"]): Colors {
  const enabled = wantsColor(output, env);
  const style =
    (format: Parameters<typeof styleText>[0]) =>
    (text: string): string =>
      enabled ? styleText(format, text, { validateStream: false }) : text;
  return {
    bold: style("bold"),
    dim: style("dim"),
    red: style("red"),
    green: style("green"),
    yellow: style("yellow"),
  };
}

/** Follows https://no-color.org and https://force-color.org. By default only capable terminals get colors. */
function wantsColor(output: Output, env: Io["env"]): boolean {
  if (env["NO_COLOR"]) return false;
  if (env["FORCE_COLOR"]) return env["FORCE_COLOR"] !== "0";
  return output.isTTY === true && env["TERM"] !== "dumb";
}
