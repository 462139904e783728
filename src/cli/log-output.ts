// The output of a service's log. A service must not wait for its reader: a pipe that nobody reads, or a terminal that Ctrl-S
// has stopped, would stop the server or let its memory grow.
import type { Output } from "./io.ts";

/** The most characters that wait for the reader: some thousand lines. */
const maxWaiting = 1_000_000;

/**
 * Returns a destination of lines that drops what its reader is too slow for. Calls `onDropped` with the number of lines when
 * the reader has caught up.
 */
export function logOutput(
  output: Output,
  onDropped: (lines: number) => void,
): { readonly write: (line: string) => void } {
  writeWithoutWaiting(output);
  let dropped = 0;
  output.on("drain", () => {
    if (dropped === 0) return;
    const lines = dropped;
    dropped = 0;
    onDropped(lines);
  });
  return {
    write(line) {
      if (output.writableLength > maxWaiting) dropped += 1;
      else output.write(line);
    },
  };
}

interface Handle {
  setBlocking?(isBlocking: boolean): void;
}

/** Node writes to pipes asynchronously, but blocks the process while it writes to a terminal, and has no public way to change it. */
function writeWithoutWaiting(output: Output & { readonly _handle?: Handle }): void {
  // oxlint-disable-next-line no-underscore-dangle -- Node's name
  if (output.isTTY === true) output._handle?.setBlocking?.(false);
}
