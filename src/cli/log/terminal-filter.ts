// Removes from a log what would control the terminal instead of appearing on it. A task's output may set the clipboard
// (OSC 52), the title, or move the cursor to forge lines. Colors and the erasing of the current line remain.

const [bell, backspace, tab, newline, carriageReturn, escape, del] = [7, 8, 9, 10, 13, 27, 127];
const kept = new Set([backspace, tab, newline, carriageReturn]);
/** The first byte of C1 control characters in UTF-8, which some terminals treat like escape sequences. */
const c1Lead = 0xc2;
/** Sequences are shorter. A longer one is not a sequence of a program for people. */
const maxSequence = 64;

type State = "text" | "escape" | "csi" | "string" | "stringEscape" | "c1";

/** Returns a function that filters chunks of one log. A sequence may begin in one chunk and end in another. */
export function terminalFilter(): (chunk: Uint8Array) => Buffer {
  let state: State = "text";
  /** The bytes of a CSI sequence so far. */
  let sequence: number[] = [];

  function next(byte: number, out: number[]): void {
    switch (state) {
      case "text":
        if (byte === escape) state = "escape";
        else if (byte === c1Lead) state = "c1";
        else if ((byte >= 32 && byte !== del) || kept.has(byte)) out.push(byte);
        return;
      case "c1":
        state = "text";
        if (byte < 0x80 || byte > 0x9f) {
          out.push(c1Lead);
          next(byte, out);
        }
        return;
      case "escape":
        sequence = [escape, byte];
        // Bytes between the escape and the final byte of a sequence that selects a character set: `tput sgr0` prints one.
        if (byte >= 0x20 && byte <= 0x2f) return;
        // `]`, `P`, `X`, `^` and `_` begin strings: OSC, DCS, SOS, PM and APC.
        state = byte === 0x5b ? "csi" : [0x5d, 0x50, 0x58, 0x5e, 0x5f].includes(byte) ? "string" : "text";
        if (byte === newline || byte === escape) {
          state = "text";
          next(byte, out);
        }
        return;
      case "csi":
        sequence.push(byte);
        if (byte === newline || byte === escape || sequence.length > maxSequence) {
          state = "text";
          next(byte, out);
        } else if (byte >= 0x40 && byte <= 0x7e) {
          state = "text";
          // `m` selects colors and styles, `K` erases in the line.
          if (byte === 0x6d || byte === 0x4b) out.push(...sequence);
        }
        return;
      case "string":
      case "stringEscape":
        // Ends with BEL or with `ESC \`. A newline ends it too, so that an unfinished one does not hide the rest of the log.
        if (byte === bell || (state === "stringEscape" && byte === 0x5c)) state = "text";
        else if (byte === newline) {
          state = "text";
          out.push(byte);
        } else state = byte === escape ? "stringEscape" : "string";
    }
  }

  return (chunk) => {
    const out: number[] = [];
    for (const byte of chunk) next(byte, out);
    return Buffer.from(out);
  };
}
